/** The registry: one file per kind of link. A kind that is not here can be read, with its settings raw. */
import { bridge } from './bridge.js'
import type { LinkKind } from './kind.js'
import { dummy, ifb } from './plain.js'
import { tun } from './tun.js'
import { veth } from './veth.js'

export const linkKinds = { bridge, dummy, ifb, tun, veth } as const

export type LinkKindName = keyof typeof linkKinds

export function findLinkKind(name: string): LinkKind | undefined {
  return Object.hasOwn(linkKinds, name) ? linkKinds[name as LinkKindName] : undefined
}
