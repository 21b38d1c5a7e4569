import type { FixedPart } from '../core/index.js'

/** Bytes of struct nfgenmsg. */
export const netfilterHeaderLength = 4

/** struct nfgenmsg, include/uapi/linux/netfilter/nfnetlink.h */
export function netfilterHeader(family: number, resource: number): FixedPart {
  return {
    length: netfilterHeaderLength,
    write(view, at) {
      view.setUint8(at, family)
      view.setUint16(at + 2, resource)
    },
  }
}
