import { invalidArgumentType, invalidArgumentValue } from '../../../errors/index.js'

/** Parents with names: include/uapi/linux/pkt_sched.h, TC_H_*. */
const named: Readonly<Record<string, number>> = {
  root: 0xffff_ffff,
  // The hooks of a qdisc `clsact`; that of `ingress` is the first.
  ingress: 0xffff_fff2,
  egress: 0xffff_fff3,
}

/** Where the qdiscs `ingress` and `clsact` are: TC_H_INGRESS. */
export const ingressParent = 0xffff_fff1

/** `1:10`, hexadecimal, with `1:` for a qdisc itself; or `root`, `ingress`, `egress`. @throws TypeError */
export function parseHandle(name: string, value: string): number {
  if (typeof value !== 'string') throw invalidArgumentType(name, 'a string', value)
  if (Object.hasOwn(named, value)) return named[value]!
  const match = /^([0-9a-f]{1,4}):([0-9a-f]{0,4})$/i.exec(value)
  if (!match) throw invalidArgumentValue(name, value, "must be a handle such as '1:' or '1:10'")
  return ((Number.parseInt(match[1]!, 16) << 16) | Number.parseInt(match[2] || '0', 16)) >>> 0
}

/** The spelling that {@link parseHandle} takes; `undefined` for none. */
export function formatHandle(handle: number): string | undefined {
  if (handle === 0) return undefined
  for (const [name, number] of Object.entries(named)) if (number === handle) return name
  return `${(handle >>> 16).toString(16)}:${handle & 0xffff ? (handle & 0xffff).toString(16) : ''}`
}
