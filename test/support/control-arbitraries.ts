import fc from 'fast-check'
import { bytes, ipv4, ipv6, linkAddress, mac, payload, text, uint, words } from './field-arbitraries.js'

const multicastQuery = (address: fc.Arbitrary<string>) =>
  fc.record({
    suppress: fc.boolean(),
    robustness: uint(3),
    queryIntervalCode: uint(8),
    sources: fc.array(address, { maxLength: 3 }),
  })
const multicastRecords = (address: fc.Arbitrary<string>) =>
  fc.array(
    fc
      .tuple(
        fc.record({ type: uint(8), group: address, sources: fc.array(address, { maxLength: 3 }) }),
        words(2),
      )
      .map(([record, auxiliaryData]) => (auxiliaryData.length > 0 ? { ...record, auxiliaryData } : record)),
    { maxLength: 3 },
  )

const igmpBase = { maxResponseCode: uint(8), checksum: uint(16) }
const igmp = fc.oneof(
  fc.record({ ...igmpBase, type: fc.constantFrom(0x12, 0x16, 0x17, 0x99), group: ipv4, payload }),
  fc.record({
    ...igmpBase,
    type: fc.constant(0x11),
    group: ipv4,
    payload: fc.uint8Array({ maxLength: 3 }),
  }),
  fc.record({ ...igmpBase, type: fc.constant(0x11), group: ipv4, query: multicastQuery(ipv4), payload }),
  fc.record({ ...igmpBase, type: fc.constant(0x22), records: multicastRecords(ipv4), payload }),
)
const mldBase = { checksum: uint(16), maxResponseCode: uint(16), group: ipv6 }
const mld = fc.oneof(
  fc.record({ ...mldBase, type: fc.constantFrom(131, 132), payload }),
  fc.record({ ...mldBase, type: fc.constant(130), payload: fc.uint8Array({ maxLength: 3 }) }),
  fc.record({ ...mldBase, type: fc.constant(130), query: multicastQuery(ipv6), payload }),
  fc.record({ type: fc.constant(143), checksum: uint(16), records: multicastRecords(ipv6), payload }),
)

const bridgeId = fc.record({ priority: uint(16), macAddress: mac })
const seconds = uint(16).map(units => units / 256)
const stp = fc.oneof(
  fc.record({ version: uint(8), type: fc.constant(0x80), payload }),
  fc.record({
    version: uint(8),
    type: fc.constantFrom(0, 2),
    configuration: fc.record({
      flags: uint(8),
      root: bridgeId,
      rootPathCost: uint(32),
      bridge: bridgeId,
      portId: uint(16),
      messageAgeSeconds: seconds,
      maxAgeSeconds: seconds,
      helloTimeSeconds: seconds,
      forwardDelaySeconds: seconds,
    }),
    payload,
  }),
)

const kind = <K extends string>(...names: K[]) => fc.constantFrom(...names)
const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 })
const raw = fc.uint8Array({ maxLength: 12 })

const lldpElement = fc.oneof(
  fc.record({
    kind: kind('chassisId', 'portId'),
    subtype: uint(8),
    id: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  }),
  fc.record({ kind: kind('timeToLive'), seconds: uint(16) }),
  fc.record({ kind: kind('portDescription', 'systemName', 'systemDescription'), text }),
  fc.record({ kind: kind('capabilities'), available: uint(16), enabled: uint(16) }),
  fc.record({
    kind: kind('managementAddress'),
    family: uint(8),
    address: raw,
    interfaceNumbering: uint(8),
    interfaceNumber: uint(32),
    object: raw,
  }),
  fc.record({ kind: kind('organization'), organization: uint(24), subtype: uint(8), data: raw }),
  fc.record({ kind: kind('unknown'), type: fc.integer({ min: 9, max: 126 }), data: raw }),
)

const route = fc.tuple(bytes(4), fc.integer({ min: 0, max: 32 }), ipv4).map(([address, length, gateway]) => {
  const masked = address.map((byte, i) => byte & (0xff << Math.min(8, Math.max(0, 8 * (i + 1) - length))))
  return { destination: `${masked.join('.')}/${length}`, gateway }
})
const dhcpv4Option = fc.oneof(
  fc.record({ kind: kind('subnetMask', 'requestedAddress', 'serverIdentifier'), value: ipv4 }),
  fc.record({ kind: kind('routers', 'dnsServers', 'ntpServers'), value: some(ipv4) }),
  fc.record({ kind: kind('hostName', 'domainName', 'message', 'captivePortal'), value: text }),
  fc.record({ kind: kind('leaseTimeSeconds', 'renewalTimeSeconds'), value: uint(32) }),
  fc.record({ kind: kind('interfaceMtu', 'maxMessageSize'), value: uint(16) }),
  fc.record({ kind: kind('messageType', 'overload'), value: uint(8) }),
  fc.record({ kind: kind('parameterRequestList'), value: some(uint(8)) }),
  fc.record({ kind: kind('clientIdentifier', 'relayAgentInformation'), value: raw }),
  fc.record({ kind: kind('rapidCommit'), value: fc.constant(true) }),
  fc.record({ kind: kind('classlessRoutes'), value: fc.array(route, { maxLength: 3 }) }),
  fc.record({ kind: kind('unknown'), number: fc.integer({ min: 200, max: 254 }), data: raw }),
)
const latin1 = (maxLength: number) =>
  fc.array(fc.integer({ min: 1, max: 255 }), { maxLength }).map(codes => String.fromCharCode(...codes))
const dhcpv4 = fc.record({
  operation: uint(8),
  hardwareType: uint(8),
  hops: uint(8),
  transactionId: uint(32),
  seconds: uint(16),
  broadcast: fc.boolean(),
  clientAddress: ipv4,
  yourAddress: ipv4,
  serverAddress: ipv4,
  relayAddress: ipv4,
  hardwareAddress: linkAddress(16),
  serverName: latin1(64),
  bootFile: latin1(128),
  options: fc.array(dhcpv4Option, { maxLength: 6 }),
})

const domain = fc
  .array(fc.stringMatching(/^[a-z0-9_-]{1,8}$/), { minLength: 1, maxLength: 3 })
  .map(l => l.join('.'))
const plainV6 = fc.oneof(
  fc.record({ kind: kind('clientId', 'serverId', 'relayMessage', 'interfaceId'), value: raw }),
  fc.record({ kind: kind('optionRequest'), value: fc.array(uint(16), { maxLength: 4 }) }),
  fc.record({ kind: kind('preference'), value: uint(8) }),
  fc.record({ kind: kind('elapsedCentiseconds'), value: uint(16) }),
  fc.record({ kind: kind('serverUnicast'), value: ipv6 }),
  fc.record({ kind: kind('status'), value: fc.record({ code: uint(16), message: text }) }),
  fc.record({ kind: kind('rapidCommit'), value: fc.constant(true) }),
  fc.record({ kind: kind('dnsServers'), value: fc.array(ipv6, { maxLength: 3 }) }),
  fc.record({ kind: kind('domainSearch'), value: fc.array(domain, { maxLength: 3 }) }),
  fc.record({ kind: kind('informationRefreshSeconds'), value: uint(32) }),
  fc.record({ kind: kind('unknown'), number: fc.integer({ min: 100, max: 0xffff }), data: raw }),
)
const listV6 = (option: fc.Arbitrary<object>) => fc.array(option, { maxLength: 3 })
const lifetimes = { preferredLifetimeSeconds: uint(32), validLifetimeSeconds: uint(32) }
const leaseV6 = fc.oneof(
  fc.record({
    kind: kind('iaAddress'),
    value: fc.record({ address: ipv6, ...lifetimes, options: listV6(plainV6) }),
  }),
  fc.record({
    kind: kind('iaPrefix'),
    value: fc.record({ prefix: ipv6, length: uint(8), ...lifetimes, options: listV6(plainV6) }),
  }),
  plainV6,
)
const dhcpv6Option = fc.oneof(
  plainV6,
  fc.record({
    kind: kind('iaNa', 'iaPd'),
    value: fc.record({
      iaid: uint(32),
      renewalSeconds: uint(32),
      rebindingSeconds: uint(32),
      options: listV6(leaseV6),
    }),
  }),
  fc.record({ kind: kind('iaTa'), value: fc.record({ iaid: uint(32), options: listV6(leaseV6) }) }),
)
const dhcpv6 = fc.oneof(
  fc.record({
    type: fc.integer({ min: 1, max: 11 }),
    transactionId: uint(24),
    options: listV6(dhcpv6Option),
  }),
  fc.record({
    type: fc.constantFrom(12, 13),
    relay: fc.record({ hops: uint(8), linkAddress: ipv6, peerAddress: ipv6 }),
    options: listV6(dhcpv6Option),
  }),
)

/** Records of what programs and switches tell each other. */
export const controlArbitraries = {
  igmp,
  mld,
  stp,
  lldp: fc.record({ elements: fc.array(lldpElement, { maxLength: 6 }) }),
  dhcpv4,
  dhcpv6,
}
