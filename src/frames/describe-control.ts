import { formatIpAddress } from '../address/index.js'
import { hex } from '../bytes/index.js'
import type { HeaderWalk } from './header-walk.js'
import { icmpv6Types } from './icmpv6.js'
import { IgmpView, igmpRecord, igmpTypes } from './igmp.js'
import { type LldpElement, LldpView, lldpRecord } from './lldp.js'
import { type MldView, mldRecord } from './mld.js'
import { type MulticastRecord, multicastRecordTypes } from './multicast-records.js'
import { PppoeView, pppoeCodes, pppoeRecord, pppoeTags, pppProtocols } from './pppoe.js'
import { printableLine, printableText } from './printable.js'
import { StpView, stpFlags, stpTypes } from './stp.js'
import { WireguardView, wireguardTypes } from './wireguard.js'

const discovery: Readonly<Record<number, string>> = {
  [pppoeCodes.initiation]: 'PADI',
  [pppoeCodes.offer]: 'PADO',
  [pppoeCodes.request]: 'PADR',
  [pppoeCodes.confirmation]: 'PADS',
  [pppoeCodes.termination]: 'PADT',
}
const shownTags: Readonly<Record<number, string>> = {
  [pppoeTags.serviceName]: 'service',
  [pppoeTags.concentratorName]: 'concentrator',
  [pppoeTags.serviceNameError]: 'service error',
  [pppoeTags.concentratorError]: 'concentrator error',
  [pppoeTags.genericError]: 'error',
}

/** `pppoe session 5`, `pppoe PADO session 0, service "internet"` */
export function describePppoe(walk: HeaderWalk): string {
  const view = new PppoeView(walk.bytes, walk.start, walk.limit)
  const { code, sessionId } = view
  if (view.isSession) {
    if (walk.following) return `pppoe session ${sessionId}`
    const name = Object.entries(pppProtocols).find(([, number]) => number === view.protocol)?.[0]
    const protocol = name ?? `0x${view.protocol.toString(16).padStart(4, '0')}`
    return `pppoe session ${sessionId} ppp ${protocol} length ${view.length - 2}`
  }
  let text = `pppoe ${discovery[code] ?? `code ${code}`} session ${sessionId}`
  for (const { type, data } of pppoeRecord(view).tags ?? []) {
    const name = shownTags[type]
    if (name && data.length > 0) text += `, ${name} "${printableLine(data, 0, data.length, 60)}"`
  }
  return text
}

/** `report v3, 239.1.1.1 toExclude {}` */
export function describeIgmp(walk: HeaderWalk): string {
  const view = new IgmpView(walk.bytes, walk.start, walk.limit)
  const { type } = view
  const { records, query } = igmpRecord(view)
  switch (type) {
    case igmpTypes.query: {
      const version = view.isQueryV3 ? 3 : view.maxResponseCode === 0 ? 1 : 2
      return `query v${version}${whose(view.group, '0.0.0.0')}${list(query?.sources)}`
    }
    case igmpTypes.reportV1:
      return `report v1 for ${view.group}`
    case igmpTypes.reportV2:
      return `report v2 for ${view.group}`
    case igmpTypes.leave:
      return `leave ${view.group}`
    case igmpTypes.reportV3:
      return `report v3${describeRecords(records)}`
    default:
      return `type 0x${type.toString(16)} length ${walk.end - walk.start}`
  }
}

/** `multicast listener report v2, ff02::fb toExclude {}` */
export function describeMld(view: MldView): string {
  const { records, query } = mldRecord(view)
  switch (view.type) {
    case icmpv6Types.listenerQuery:
      return `multicast listener query${query ? ' v2' : ''}${whose(view.group, '::')}${list(query?.sources)}`
    case icmpv6Types.listenerReport:
      return `multicast listener report for ${view.group}`
    case icmpv6Types.listenerDone:
      return `multicast listener done for ${view.group}`
    default:
      return `multicast listener report v2${describeRecords(records)}`
  }
}

const mostRecords = 8

function describeRecords(records: readonly MulticastRecord[] = []): string {
  const shown = records.slice(0, mostRecords).map(({ type, group, sources }) => {
    const name = Object.entries(multicastRecordTypes).find(([, number]) => number === type)?.[0]
    return `, ${group} ${name ?? `type ${type}`} {${sources.slice(0, mostRecords).join(' ')}}`
  })
  return shown.join('') + (records.length > mostRecords ? ', …' : '')
}

function whose(group: string, all: string): string {
  return group === all ? '' : ` for ${group}`
}

function list(sources: readonly string[] = []): string {
  return sources.length > 0 ? ` {${sources.slice(0, mostRecords).join(' ')}}` : ''
}

/** `config root 32768.02:00:00:00:00:01 cost 4 bridge 32768.02:00:00:00:00:02 port 0x8001` */
export function describeStp(walk: HeaderWalk): string {
  const stp = new StpView(walk.bytes, walk.start, walk.limit)
  if (stp.type === stpTypes.topologyChange) return 'topology change notification'
  const { flags } = stp
  const kind = stp.type === stpTypes.configuration ? 'config' : stp.version === 3 ? 'mst' : 'rapid'
  const root = `root ${stp.rootPriority}.${stp.rootMacAddress} cost ${stp.rootPathCost}`
  const bridge = `bridge ${stp.bridgePriority}.${stp.bridgeMacAddress} port 0x${stp.portId.toString(16)}`
  const change = flags & stpFlags.topologyChange ? ', topology change' : ''
  return `${kind} ${root} ${bridge}${change}`
}

/** `chassis 02:00:00:00:00:01 port eth0 ttl 120s, system "switch"` */
export function describeLldp(walk: HeaderWalk): string {
  const parts = lldpRecord(new LldpView(walk.bytes, walk.start, walk.limit)).elements.map(describeElement)
  return parts.filter(part => part !== '').join(', ')
}

function describeElement(element: LldpElement): string {
  switch (element.kind) {
    case 'chassisId':
      return `chassis ${identifier(element.id, element.subtype === 4, element.subtype === 5)}`
    case 'portId':
      return `port ${identifier(element.id, element.subtype === 3, element.subtype === 4)}`
    case 'timeToLive':
      return `ttl ${element.seconds}s`
    case 'systemName':
      return `system "${printableText(element.text)}"`
    case 'portDescription':
      return `port description "${printableText(element.text)}"`
    case 'managementAddress': {
      const { family, address } = element
      const isIp = (family === 1 && address.length === 4) || (family === 2 && address.length === 16)
      return `management ${isIp ? formatIpAddress(address) : hex(address, ':')}`
    }
    default:
      return ''
  }
}

/** A MAC address, a network address with its family before it, or text. */
function identifier(id: Uint8Array, isMac: boolean, isNetwork: boolean): string {
  if (isMac) return hex(id, ':')
  if (isNetwork && (id.length === 5 || id.length === 17)) return formatIpAddress(id.subarray(1))
  return `"${printableLine(id, 0, id.length, 60)}"`
}

/** `initiation sender 0x00000001`, `data receiver 0x00000001 counter 5 length 96` */
export function describeWireguard(walk: HeaderWalk): string {
  const view = new WireguardView(walk.bytes, walk.start, walk.limit)
  const index = (value: number) => `0x${value.toString(16).padStart(8, '0')}`
  switch (view.type) {
    case wireguardTypes.initiation:
      return `initiation sender ${index(view.sender)}`
    case wireguardTypes.response:
      return `response sender ${index(view.sender)} receiver ${index(view.receiver)}`
    case wireguardTypes.cookie:
      return `cookie receiver ${index(view.receiver)}`
    default: {
      const length = view.payloadEnd - view.payloadOffset
      if (length === 16) return `keepalive receiver ${index(view.receiver)} counter ${view.counter}`
      return `data receiver ${index(view.receiver)} counter ${view.counter} length ${length}`
    }
  }
}
