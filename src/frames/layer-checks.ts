import { invalidArgumentType, invalidArgumentValue, requireObject } from '../errors/index.js'
import type { FrameLayers } from './encode.js'

type FieldOf<T> = T extends readonly (infer E)[] ? FieldOf<E> : T extends unknown ? keyof T & string : never

type LayerName = Exclude<keyof FrameLayers, 'inner' | 'payload'>

/** Of all layers, by what can be in one: `1`. A misspelled one would be left out of the frame without a word. */
const fields: { readonly [L in LayerName]-?: Readonly<Record<FieldOf<NonNullable<FrameLayers[L]>>, 1>> } = {
  ethernet: { destination: 1, source: 1, type: 1, length: 1, payload: 1, trailer: 1 },
  linuxSll: { protocol: 1, packetType: 1, hardwareType: 1, addressLength: 1, address: 1, payload: 1 },
  linuxSll2: {
    ...{ protocol: 1, packetType: 1, hardwareType: 1, addressLength: 1, address: 1, interfaceIndex: 1 },
    payload: 1,
  },
  loopback: { family: 1, littleEndian: 1, payload: 1 },
  vlans: { type: 1, id: 1, priority: 1, dropEligible: 1, payload: 1 },
  llc: { destination: 1, source: 1, control: 1, snap: 1, payload: 1 },
  mpls: { label: 1, trafficClass: 1, bottom: 1, ttl: 1, payload: 1 },
  pppoe: { length: 1, protocol: 1, sessionId: 1, code: 1, tags: 1, payload: 1 },
  arp: { operation: 1, senderMacAddress: 1, senderIpAddress: 1, targetIpAddress: 1, targetMacAddress: 1 },
  lldp: { elements: 1 },
  stp: { type: 1, version: 1, configuration: 1, payload: 1 },
  ipv4: {
    ...{ source: 1, destination: 1, protocol: 1, ttl: 1, dscp: 1, ecn: 1, totalLength: 1, identification: 1 },
    ...{ reservedFlag: 1, dontFragment: 1, moreFragments: 1, fragmentOffset: 1, checksum: 1, options: 1 },
    payload: 1,
  },
  ipv6: {
    ...{ source: 1, destination: 1, length: 1, protocol: 1, dscp: 1, ecn: 1, flowLabel: 1, hopLimit: 1 },
    ...{ extensions: 1, payload: 1 },
  },
  icmp: {
    ...{ type: 1, code: 1, checksum: 1, identifier: 1, sequence: 1, gateway: 1, pointer: 1, mtu: 1 },
    ...{ rest: 1, payload: 1 },
  },
  icmpv6: {
    ...{ type: 1, code: 1, checksum: 1, identifier: 1, sequence: 1, pointer: 1, mtu: 1, rest: 1 },
    payload: 1,
  },
  neighborDiscovery: {
    ...{ destination: 1, type: 1, checksum: 1, options: 1, hopLimit: 1, managed: 1, other: 1 },
    ...{ lifetimeSeconds: 1, reachableTimeMs: 1, retransmitTimerMs: 1, target: 1 },
    ...{ router: 1, solicited: 1, override: 1 },
  },
  mld: { type: 1, checksum: 1, maxResponseCode: 1, group: 1, query: 1, records: 1, payload: 1 },
  igmp: { type: 1, checksum: 1, maxResponseCode: 1, group: 1, query: 1, records: 1, payload: 1 },
  udp: { sourcePort: 1, destinationPort: 1, length: 1, checksum: 1, payload: 1 },
  tcp: {
    ...{
      sourcePort: 1,
      destinationPort: 1,
      sequence: 1,
      acknowledgment: 1,
      flags: 1,
      reserved: 1,
      window: 1,
    },
    ...{ checksum: 1, urgentPointer: 1, options: 1, payload: 1 },
  },
  gre: { protocol: 1, version: 1, checksum: 1, key: 1, sequence: 1, acknowledgment: 1, payload: 1 },
  vxlan: { flags: 1, vni: 1, groupPolicy: 1, payload: 1 },
  geneve: { protocol: 1, control: 1, critical: 1, vni: 1, options: 1, payload: 1 },
  dhcpv4: {
    ...{
      operation: 1,
      hardwareType: 1,
      hardwareAddress: 1,
      hops: 1,
      transactionId: 1,
      seconds: 1,
      broadcast: 1,
    },
    ...{ clientAddress: 1, yourAddress: 1, serverAddress: 1, relayAddress: 1, serverName: 1, bootFile: 1 },
    options: 1,
  },
  dhcpv6: { type: 1, transactionId: 1, relay: 1, options: 1 },
  wireguard: {
    ...{ type: 1, sender: 1, receiver: 1, ephemeral: 1, static: 1, timestamp: 1, mac1: 1, mac2: 1, empty: 1 },
    ...{ nonce: 1, cookie: 1, counter: 1, payload: 1 },
  },
  dns: {
    ...{ id: 1, type: 1, opcode: 1, responseCode: 1, authoritative: 1, truncated: 1, recursionDesired: 1 },
    ...{ recursionAvailable: 1, authenticData: 1, checkingDisabled: 1 },
    ...{ questions: 1, answers: 1, authorities: 1, additionals: 1 },
  },
}

/** Each frame has one at most of those of a line. */
const levels: readonly (readonly (LayerName | 'inner')[])[] = [
  ['ethernet', 'linuxSll', 'linuxSll2', 'loopback'],
  ['arp', 'lldp', 'stp', 'ipv4', 'ipv6'],
  // `icmpv6` may stand beside those that win over it.
  ['icmp', 'neighborDiscovery', 'mld', 'igmp', 'udp', 'tcp', 'gre'],
  ['icmp', 'icmpv6', 'igmp', 'udp', 'tcp', 'gre'],
  ['vxlan', 'geneve', 'dhcpv4', 'dhcpv6', 'wireguard', 'dns'],
  ['inner', 'dns'],
]

const overIp = ['icmp', 'icmpv6', 'neighborDiscovery', 'mld', 'igmp', 'udp', 'tcp', 'gre'] as const
const overUdp = ['vxlan', 'geneve', 'dhcpv4', 'dhcpv6', 'wireguard'] as const

/** @throws TypeError for what would be left out of the frame, or has nothing to be in */
export function checkLayers(layers: FrameLayers, path = 'layers'): void {
  requireObject(path, layers)
  for (const name of Object.keys(layers)) {
    const value: unknown = layers[name as keyof FrameLayers]
    if (name === 'inner' || name === 'payload' || name === 'issues') continue
    if (!Object.hasOwn(fields, name))
      throw invalidArgumentValue(`${path}.${name}`, value, 'is not a known layer')
    if (value === undefined) continue
    const known = fields[name as LayerName]
    if (name !== 'vlans' && name !== 'mpls') checkFields(`${path}.${name}`, value, known)
    else if (!Array.isArray(value)) throw invalidArgumentType(`${path}.${name}`, 'an array', value)
    else for (const entry of value) checkFields(`${path}.${name}`, entry, known)
  }
  for (const level of levels) {
    const found = level.filter(name => layers[name])
    if (found.length > 1)
      throw invalidArgumentValue(`${path}.${found[1]}`, layers[found[1]!], `does not go with ${found[0]}`)
  }
  const lone = overIp.find(name => layers[name])
  if (lone && !layers.ipv4 && !layers.ipv6)
    throw invalidArgumentValue(`${path}.${lone}`, layers[lone], 'needs ipv4 or ipv6')
  const loneInside = overUdp.find(name => layers[name])
  if (loneInside && !layers.udp)
    throw invalidArgumentValue(`${path}.${loneInside}`, layers[loneInside], 'needs udp')
  if (layers.dns && !layers.udp && !layers.tcp)
    throw invalidArgumentValue(`${path}.dns`, layers.dns, 'needs udp or tcp')
  if (layers.inner !== undefined) checkLayers(layers.inner, `${path}.inner`)
}

function checkFields(path: string, layer: unknown, known: Readonly<Record<string, 1>>): void {
  requireObject(path, layer as object)
  for (const name of Object.keys(layer as object)) {
    if (!Object.hasOwn(known, name)) {
      throw invalidArgumentValue(
        `${path}.${name}`,
        (layer as Record<string, unknown>)[name],
        'is not a known field',
      )
    }
  }
}
