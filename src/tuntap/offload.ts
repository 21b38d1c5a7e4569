import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import type { Offload } from '../port/index.js'
import { offloadBits } from './constants.js'

const bits: Readonly<Record<Offload, number>> = {
  checksum: offloadBits.TUN_F_CSUM,
  tso4: offloadBits.TUN_F_TSO4,
  tso6: offloadBits.TUN_F_TSO6,
  'tso-ecn': offloadBits.TUN_F_TSO_ECN,
  uso4: offloadBits.TUN_F_USO4,
  uso6: offloadBits.TUN_F_USO6,
  // Of the same kernel, 6.17.
  'udp-tunnel': offloadBits.TUN_F_UDP_TUNNEL_GSO | offloadBits.TUN_F_UDP_TUNNEL_GSO_CSUM,
}

/** The TUNSETOFFLOAD mask of a list, which must name what each entry needs. */
export function offloadMask(name: string, offloads: readonly Offload[]): number {
  if (!Array.isArray(offloads)) throw invalidArgumentType(name, 'an array of offloads', offloads)
  let mask = 0
  for (const offload of offloads as readonly Offload[]) {
    if (!Object.hasOwn(bits, offload)) {
      throw invalidArgumentValue(name, offload, `must name offloads of ${Object.keys(bits).join(', ')}`)
    }
    mask |= bits[offload]
  }
  if (mask && !(mask & bits.checksum)) {
    throw invalidArgumentValue(name, offloads, "must include 'checksum', which the others build on")
  }
  if (!!(mask & bits.uso4) !== !!(mask & bits.uso6)) {
    throw invalidArgumentValue(name, offloads, "must have 'uso4' and 'uso6' both or neither")
  }
  if (mask & bits['udp-tunnel'] && !(mask & (bits.tso4 | bits.tso6 | bits.uso4))) {
    throw invalidArgumentValue(name, offloads, "must have a 'tso' or 'uso' beside 'udp-tunnel'")
  }
  return mask
}

/** Each offload that the kernel's driver knows, found by asking for it with what it needs. */
export function probeOffloads(accepts: (mask: number) => boolean): Offload[] {
  const { checksum, tso4, uso4, uso6 } = bits
  const tries: [Offload[], number][] = [
    [['checksum'], checksum],
    [['tso4'], checksum | tso4],
    [['tso6'], checksum | bits.tso6],
    [['tso-ecn'], checksum | tso4 | bits['tso-ecn']],
    [['uso4', 'uso6'], checksum | uso4 | uso6],
    [['udp-tunnel'], checksum | tso4 | bits['udp-tunnel']],
  ]
  return tries.flatMap(([offloads, mask]) => (accepts(mask) ? offloads : []))
}
