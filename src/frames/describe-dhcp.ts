import { Dhcpv4View, dhcpv4Record } from './dhcpv4.js'
import { type Dhcpv4Option, dhcpv4MessageTypes } from './dhcpv4-options.js'
import { type Dhcpv6Record, Dhcpv6View, decodeDhcpv6, dhcpv6Record, dhcpv6Types } from './dhcpv6.js'
import type { Dhcpv6Option } from './dhcpv6-options.js'
import { FrameError } from './frame-error.js'
import type { HeaderWalk } from './header-walk.js'
import { printableText } from './printable.js'

/** `offer 10.0.0.5 to 02:00:00:00:00:01, server 10.0.0.1, lease 3600s` */
export function describeDhcpv4(walk: HeaderWalk): string {
  const { operation, hardwareAddress, yourAddress, clientAddress, relayAddress, options } = dhcpv4Record(
    new Dhcpv4View(walk.bytes, walk.start, walk.limit),
  )
  const type = options.find(option => option.kind === 'messageType')?.value
  const name = nameOf(dhcpv4MessageTypes, type) ?? (operation === 1 ? 'bootp request' : 'bootp reply')
  const isReply = operation !== 1
  const address = isReply ? yourAddress : clientAddress
  let text = name + (address === '0.0.0.0' ? '' : ` ${address}`)
  text += ` ${isReply ? 'to' : 'from'} ${hardwareAddress}`
  if (relayAddress !== '0.0.0.0') text += `, relay ${relayAddress}`
  for (const option of options) text += describeV4(option)
  return text
}

function describeV4(option: Dhcpv4Option): string {
  switch (option.kind) {
    case 'requestedAddress':
      return `, requested ${option.value}`
    case 'serverIdentifier':
      return `, server ${option.value}`
    case 'leaseTimeSeconds':
      return `, lease ${option.value}s`
    case 'routers':
      return `, router ${option.value.join(' ')}`
    case 'dnsServers':
      return `, dns ${option.value.join(' ')}`
    case 'hostName':
      return `, host "${printableText(option.value)}"`
    case 'message':
      return `, message "${printableText(option.value)}"`
    default:
      return ''
  }
}

/** `reply xid 0x1a2b3c, address 2001:db8::5` */
export function describeDhcpv6(walk: HeaderWalk): string {
  return describeMessage(dhcpv6Record(new Dhcpv6View(walk.bytes, walk.start, walk.limit)), true)
}

function describeMessage({ type, transactionId, relay, options }: Dhcpv6Record, outermost: boolean): string {
  const name = nameOf(dhcpv6Types, type) ?? `type ${type}`
  if (!relay)
    return `${name} xid 0x${(transactionId ?? 0).toString(16).padStart(6, '0')}${options.map(describeV6).join('')}`
  const text = `${name} link ${relay.linkAddress} peer ${relay.peerAddress}`
  const message = options.find(option => option.kind === 'relayMessage')?.value
  if (!message || !outermost) return text
  try {
    return `${text}: ${describeMessage(decodeDhcpv6(message), false)}`
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    return `${text}: [malformed]`
  }
}

function describeV6(option: Dhcpv6Option): string {
  switch (option.kind) {
    case 'iaNa':
    case 'iaTa':
    case 'iaPd':
      return option.value.options.map(describeV6).join('')
    case 'iaAddress':
      return `, address ${option.value.address}`
    case 'iaPrefix':
      return `, prefix ${option.value.prefix}/${option.value.length}`
    case 'dnsServers':
      return `, dns ${option.value.join(' ')}`
    case 'status':
      return `, status ${option.value.code}${option.value.message ? ` "${printableText(option.value.message)}"` : ''}`
    default:
      return ''
  }
}

function nameOf(numbers: Readonly<Record<string, number>>, number: number | undefined): string | undefined {
  for (const name in numbers) if (numbers[name] === number) return name
  return undefined
}
