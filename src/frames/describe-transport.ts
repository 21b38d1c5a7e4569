import { readUint16, readUint32 } from '../bytes/index.js'
import type { FrameView } from './frame-view.js'
import { httpLine } from './printable.js'
import { TcpView, tcpFlags } from './tcp.js'
import { tcpOptionLength, tcpOptionNumbers } from './tcp-options.js'
import { UdpView } from './udp.js'

type IpView = FrameView & { readonly payloadLength: number; readonly isFragment: boolean }

const shownFlags = [
  ['SYN', tcpFlags.syn],
  ['FIN', tcpFlags.fin],
  ['RST', tcpFlags.rst],
  ['PSH', tcpFlags.psh],
  ['ACK', tcpFlags.ack],
  ['URG', tcpFlags.urg],
  ['ECE', tcpFlags.ece],
  ['CWR', tcpFlags.cwr],
  ['AE', tcpFlags.ae],
] as const

/** `10.0.0.1.40000 > 10.0.0.2.80: tcp SYN seq 123 win 64240 <mss 1460> length 0` */
export function describeTcp(ip: IpView, source: string, destination: string): string {
  const tcp = new TcpView(ip.bytes, ip.payloadOffset, ip.payloadEnd)
  const bits = tcp.flagBits
  const length = ip.payloadLength - tcp.headerLength
  let text = `${source}.${tcp.sourcePort} > ${destination}.${tcp.destinationPort}: tcp`
  for (const [name, bit] of shownFlags) if (bits & bit) text += ` ${name}`
  if (bits === 0) text += ' none'
  if (length > 0 || bits & (tcpFlags.syn | tcpFlags.fin | tcpFlags.rst)) text += ` seq ${tcp.sequence}`
  if (bits & tcpFlags.ack) text += ` ack ${tcp.acknowledgment}`
  text += ` win ${tcp.window}`
  if (bits & tcpFlags.urg) text += ` urg ${tcp.urgentPointer}`
  if (tcp.optionsOffset < tcp.payloadOffset) text += ` <${describeOptions(tcp)}>`
  text += ` length ${length}`
  const line = httpLine(tcp.bytes, tcp.payloadOffset, tcp.payloadEnd)
  return line === undefined ? text : `${text}: ${line}`
}

/** The options as tcpdump names them, straight from the bytes. */
function describeOptions(tcp: TcpView): string {
  const { bytes, payloadOffset: end } = tcp
  let text = ''
  for (let at = tcp.optionsOffset; at < end; ) {
    if (text !== '') text += ','
    const number = bytes[at]!
    if (number === tcpOptionNumbers.end) return `${text}eol`
    if (number === tcpOptionNumbers.nop) {
      text += 'nop'
      at++
      continue
    }
    const length = tcpOptionLength(bytes, at, end)
    if (length === 0) return `${text}[malformed tcp option ${number}]`
    text += describeOption(bytes, number, at, length)
    at += length
  }
  return text
}

function describeOption(bytes: Uint8Array, number: number, at: number, length: number): string {
  if (number === tcpOptionNumbers.mss && length === 4) return `mss ${readUint16(bytes, at + 2)}`
  if (number === tcpOptionNumbers.windowScale && length === 3) return `wscale ${bytes[at + 2]!}`
  if (number === tcpOptionNumbers.sackPermitted && length === 2) return 'sackOK'
  if (number === tcpOptionNumbers.timestamps && length === 10)
    return `TS val ${readUint32(bytes, at + 2)} ecr ${readUint32(bytes, at + 6)}`
  if (number === tcpOptionNumbers.sack && length > 2 && length % 8 === 2) {
    let text = 'sack'
    for (let block = at + 2; block < at + length; block += 8)
      text += ` ${readUint32(bytes, block)}-${readUint32(bytes, block + 4)}`
    return text
  }
  return `option ${number} length ${length}`
}

/** `10.0.0.1.5353 > 10.0.0.2.53: udp length 20`, and its parts for what has more to say of the payload. */
export function describeUdp(
  ip: IpView,
  source: string,
  destination: string,
): { text: string; ports: string; short: string } {
  const udp = new UdpView(ip.bytes, ip.payloadOffset, ip.payloadEnd)
  // A first fragment is shorter by right.
  const short = udp.length > ip.payloadLength && !ip.isFragment ? ' [truncated udp]' : ''
  const ports = `${source}.${udp.sourcePort} > ${destination}.${udp.destinationPort}`
  return { text: `${ports}: udp length ${udp.payloadLength}${short}`, ports, short }
}
