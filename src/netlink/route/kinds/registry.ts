/** The registry: one file per kind of link. A kind that is not here can be read, with its settings raw. */
import { invalidArgumentType, invalidArgumentValue } from '../../../errors/index.js'
import type { Table, TableOptions, TableValues } from '../../core/index.js'
import { bond, bondPort } from './bond.js'
import { bridge } from './bridge.js'
import { bridgePort } from './bridge-port.js'
import { geneve } from './geneve.js'
import { erspan, gre, gretap, ip6erspan, ip6gre, ip6gretap } from './gre.js'
import { hsr } from './hsr.js'
import { ip6tnl, ipip, sit } from './ip-tunnel.js'
import { ipvlan, ipvtap } from './ipvlan.js'
import type { LinkKind } from './kind.js'
import { macsec } from './macsec.js'
import { macvlan, macvtap } from './macvlan.js'
import { netkit } from './netkit.js'
import { dummy, ifb, nlmon, team, vcan, wireguard } from './plain.js'
import { tun } from './tun.js'
import { veth, vxcan } from './veth.js'
import { vlan } from './vlan.js'
import { vrf, vrfPort } from './vrf.js'
import { vti, vti6 } from './vti.js'
import { vxlan } from './vxlan.js'
import { xfrm } from './xfrm.js'

/** What Netloom knows by itself. */
export const linkKinds = {
  bond,
  bridge,
  dummy,
  erspan,
  geneve,
  gre,
  gretap,
  hsr,
  ifb,
  ip6erspan,
  ip6gre,
  ip6gretap,
  ip6tnl,
  ipip,
  ipvlan,
  ipvtap,
  macsec,
  macvlan,
  macvtap,
  netkit,
  nlmon,
  sit,
  team,
  tun,
  vcan,
  veth,
  vlan,
  vrf,
  vti,
  vti6,
  vxcan,
  vxlan,
  wireguard,
  xfrm,
} as const

/** What a link has because of its master, by the name of the settings in options and links. */
export const portKinds = { bondPort, bridgePort, vrfPort } as const

declare global {
  /** Kinds of links that a program registers, for their types: `interface NetloomLinkKinds { can: typeof can }`. */
  interface NetloomLinkKinds {}
  /** Kinds of ports that a program registers, under the master's kind and `Port`. */
  interface NetloomPortKinds {}
}

type LinkKinds = typeof linkKinds & NetloomLinkKinds
type PortKinds = typeof portKinds & NetloomPortKinds

export type LinkKindName = keyof LinkKinds & string
export type PortKindName = keyof PortKinds & string

type Settings<K> = K extends LinkKind<string, infer T extends Table> ? T : never

/** The settings of each kind, under the kind's name: `link.bridge?.ageingTimeMs`. */
export type LinkKindSettings = {
  -readonly [K in LinkKindName]?: TableValues<Settings<LinkKinds[K]>> | undefined
}

/** The settings of a link as a port of its master: `link.bridgePort?.isolated`. */
export type LinkPortSettings = {
  -readonly [K in PortKindName]?: TableValues<Settings<PortKinds[K]>> | undefined
}

/** The settings of each kind as they are given: where one is another link, by any reference to it. */
export type LinkKindOptions = {
  -readonly [K in LinkKindName]?: TableOptions<Settings<LinkKinds[K]>> | undefined
}

/** The settings of a port as they are given. */
export type LinkPortOptions = {
  -readonly [K in PortKindName]?: TableOptions<Settings<PortKinds[K]>> | undefined
}

const kinds = new Map<string, LinkKind>(Object.entries(linkKinds))
const ports = new Map<string, LinkKind>(Object.entries(portKinds))

/**
 * Makes a kind of link known in the whole process: `links.create` takes its settings under its name, and links have
 * them there instead of raw. Returns the kind.
 * @throws TypeError for a name that is taken, by another kind or by something else that links have
 */
export function registerLinkKind<K extends LinkKind>(kind: K): K {
  return register(kinds, kind, kind.name)
}

/** The same for what links have as ports of a master of that kind, under its name and `Port`. */
export function registerPortKind<K extends LinkKind>(kind: K): K {
  return register(ports, kind, `${kind.name}Port`)
}

// What links and their options have beside settings, as far as it could be the name of a kind.
const taken = new Set(
  (
    'addresses alias arp carrier constructor dad group in index kind loopback lower master mtu multicast name peer ' +
    'promiscuous qdisc raw signal statistics up xdp'
  ).split(' '),
)

function register<K extends LinkKind>(into: Map<string, LinkKind>, kind: K, name: string): K {
  if (typeof kind?.name !== 'string' || typeof kind.settings?.fields !== 'object') {
    throw invalidArgumentType('kind', 'a kind of link, as linkKind() makes', kind)
  }
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(kind.name) || taken.has(kind.name)) {
    throw invalidArgumentValue('kind.name', kind.name, 'cannot be the name of a kind')
  }
  const known = into.get(name)
  if (known && known !== kind) throw invalidArgumentValue('kind.name', kind.name, 'is a known kind already')
  into.set(name, kind)
  return kind
}

export function linkKindNames(): LinkKindName[] {
  return [...kinds.keys()] as LinkKindName[]
}

export function portKindNames(): PortKindName[] {
  return [...ports.keys()] as PortKindName[]
}

export function findLinkKind(name: string): LinkKind | undefined {
  return kinds.get(name)
}

/** By the name of the settings in options and links. */
export function findPortKind(name: string): LinkKind | undefined {
  return ports.get(name)
}
