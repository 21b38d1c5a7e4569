/** The registry: one file per kind of link. A kind that is not here can be read, with its settings raw. */
import { bond, bondPort } from './bond.js'
import { bridge } from './bridge.js'
import { bridgePort } from './bridge-port.js'
import { geneve } from './geneve.js'
import { ipvlan, ipvtap } from './ipvlan.js'
import type { LinkKind } from './kind.js'
import { macvlan, macvtap } from './macvlan.js'
import { dummy, ifb, nlmon, wireguard } from './plain.js'
import { tun } from './tun.js'
import { veth } from './veth.js'
import { vlan } from './vlan.js'
import { vrf, vrfPort } from './vrf.js'
import { vxlan } from './vxlan.js'

export const linkKinds = {
  bond,
  bridge,
  dummy,
  geneve,
  ifb,
  ipvlan,
  ipvtap,
  macvlan,
  macvtap,
  nlmon,
  tun,
  veth,
  vlan,
  vrf,
  vxlan,
  wireguard,
} as const

/** What a link has because of its master, by the name of the settings in options and links. */
export const portKinds = { bondPort, bridgePort, vrfPort } as const

export type LinkKindName = keyof typeof linkKinds
export type PortKindName = keyof typeof portKinds

export const portKindNames = Object.keys(portKinds) as PortKindName[]

export function findLinkKind(name: string): LinkKind | undefined {
  return Object.hasOwn(linkKinds, name) ? linkKinds[name as LinkKindName] : undefined
}

/** By the kernel's name for the kind of the master. */
export function findPortKind(masterKind: string): PortKindName | undefined {
  return portKindNames.find(name => portKinds[name].name === masterKind)
}
