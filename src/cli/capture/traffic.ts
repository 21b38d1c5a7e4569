import { etherTypes, FrameCursor, ipProtocols, type LinkType } from '../../frames/index.js'

/** Packets and bytes, as on the wire. */
export interface Tally {
  packets: number
  bytes: number
}

/** Who sends to whom. */
export interface Talker extends Tally {
  source: string
  destination: string
}

/** More pairs than this are counted as others, so that memory has an end. */
const mostTalkers = 1 << 15
/** Ports below this are told apart. */
const mostServicePort = 49152

/** Counts packets by protocol and by pair of addresses. */
export class Traffic {
  readonly total: Tally = { packets: 0, bytes: 0 }
  readonly #protocols = new Map<number, Tally>()
  readonly #talkers = new Map<string, Talker>()
  readonly #others: Talker = { source: 'others', destination: '', packets: 0, bytes: 0 }
  readonly #cursor = new FrameCursor()

  add(frame: Uint8Array, linkType: LinkType | number, originalLength: number): void {
    count(this.total, originalLength)
    if (typeof linkType === 'number') {
      count(this.#tally(unknown), originalLength)
      return
    }
    const cursor = this.#cursor.set(frame, linkType)
    count(this.#tally(protocolOf(cursor)), originalLength)
    count(this.#talker(cursor), originalLength)
  }

  /** By bytes, most first; `tcp/443` is that with the lower of its ports. */
  protocols(most: number): (Tally & { protocol: string })[] {
    const list = [...this.#protocols].sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, most)
    return list.map(([protocol, tally]) => ({ protocol: nameOf(protocol), ...tally }))
  }

  /** By bytes, most first. */
  talkers(most: number): Talker[] {
    const list = [...this.#talkers.values()].sort((a, b) => b.bytes - a.bytes).slice(0, most)
    if (this.#others.packets > 0) list.push(this.#others)
    return list
  }

  #tally(protocol: number): Tally {
    let tally = this.#protocols.get(protocol)
    if (tally === undefined) {
      tally = { packets: 0, bytes: 0 }
      this.#protocols.set(protocol, tally)
    }
    return tally
  }

  #talker(cursor: FrameCursor): Tally {
    const key = keyOf(cursor)
    const found = this.#talkers.get(key)
    if (found !== undefined) return found
    if (this.#talkers.size >= mostTalkers) return this.#others
    const source = cursor.source ?? cursor.sourceMacAddress ?? '-'
    const destination = cursor.destination ?? cursor.destinationMacAddress ?? '-'
    const talker = { source, destination, packets: 0, bytes: 0 }
    this.#talkers.set(key, talker)
    return talker
  }
}

function count(tally: Tally, bytes: number): void {
  tally.packets++
  tally.bytes += bytes
}

/** The bytes of both addresses. */
function keyOf({ bytes, start, end, ipVersion, sourceOffset }: FrameCursor): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (ipVersion === 4) return view.toString('latin1', sourceOffset, sourceOffset + 8)
  if (ipVersion === 6) return view.toString('latin1', sourceOffset, sourceOffset + 32)
  return view.toString('latin1', start, Math.min(start + 12, end))
}

const unknown = -1
/** Where the kinds of protocol begin: EtherTypes below, then protocols of IP without and with a port. */
const ofIp = 0x10000
const withPort = 0x20000

function protocolOf(cursor: FrameCursor): number {
  const { protocol, etherType, sourcePort, destinationPort } = cursor
  if (protocol < 0) return etherType < 0 ? unknown : etherType
  if (sourcePort < 0) return ofIp + protocol
  const port = Math.min(sourcePort, destinationPort)
  return port < mostServicePort ? withPort + protocol * 0x10000 + port : ofIp + protocol
}

function nameOf(number: number): string {
  if (number === unknown) return 'other'
  if (number >= withPort) {
    const rest = number - withPort
    return `${lookUp(ipProtocols, rest >>> 16) ?? `ip-${rest >>> 16}`}/${rest & 0xffff}`
  }
  if (number >= ofIp) return lookUp(ipProtocols, number - ofIp) ?? `ip-${number - ofIp}`
  if (number <= 1500) return '802.3'
  return lookUp(etherTypes, number) ?? `0x${number.toString(16).padStart(4, '0')}`
}

function lookUp(names: Readonly<Record<string, number>>, number: number): string | undefined {
  return Object.keys(names).find(name => names[name] === number)
}
