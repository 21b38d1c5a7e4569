import {
  type DecodedFrame,
  decode,
  describe,
  FrameCursor,
  frameFlags,
  type LinkType,
} from '../../frames/index.js'
import { type FileLinkType, linkTypeName } from '../../pcap/index.js'
import { toJson } from '../json.js'
import { hexDump } from './hex-dump.js'
import { TimeText } from './time-text.js'

/** One packet, wherever it comes from. */
export interface ShownPacket {
  linkType: FileLinkType
  data: Uint8Array
  originalLength: number
  timestamp: bigint | undefined
  flags: number
  /** `undefined` where there is only one. */
  interface: string | undefined
  comments: readonly string[] | undefined
}

export interface PacketTextOptions {
  /** How often -t was given. */
  time: number
  nanoseconds: boolean
  link: boolean
  /** How often -x and -X were given. */
  hex: number
  hexAndText: number
  json: boolean
}

/** What is printed of a packet: a line, and at wish its bytes; or a line of JSON. */
export class PacketText {
  readonly #options: PacketTextOptions
  readonly #time: TimeText
  readonly #cursor = new FrameCursor()

  constructor(options: PacketTextOptions) {
    this.#options = options
    this.#time = new TimeText(options.time, options.nanoseconds)
  }

  of(packet: ShownPacket): string {
    return this.#options.json ? `${json(packet)}\n` : this.#lines(packet)
  }

  #lines(packet: ShownPacket): string {
    const { link, hex, hexAndText } = this.#options
    const { linkType, data, originalLength, comments = [] } = packet
    const where = packet.interface === undefined ? '' : `${packet.interface} ${way(packet.flags)}`
    const what =
      typeof linkType === 'string'
        ? describe(data, linkType, { link })
        : `${linkTypeName(linkType)}, length ${originalLength}`
    const cut = originalLength > data.length ? ` [${data.length} of ${originalLength} bytes]` : ''
    let text = `${this.#time.of(packet.timestamp)}${where}${what}${cut}\n`
    for (const comment of comments) text += `\t# ${comment.replaceAll(/[\p{Cc}]/gu, '·')}\n`
    const times = Math.max(hex, hexAndText)
    if (times > 0) text += hexDump(times > 1 ? data : data.subarray(this.#network(packet)), hexAndText > 0)
    return text
  }

  /** Where the packet begins behind the header of the link. */
  #network({ data, linkType }: ShownPacket): number {
    if (typeof linkType !== 'string') return 0
    const cursor = this.#cursor.set(data, linkType)
    if (cursor.ipOffset >= 0) return cursor.ipOffset
    return Math.min(linkHeader[linkType], data.length)
  }
}

const linkHeader: Record<LinkType, number> = {
  null: 4,
  ethernet: 14,
  ip: 0,
  loop: 4,
  'linux-sll': 16,
  user0: 0,
  ipv4: 0,
  ipv6: 0,
  'linux-sll2': 20,
}

function way(flags: number): string {
  const direction = flags & frameFlags.directionMask
  if (direction === frameFlags.outbound) return 'Out '
  switch (flags & frameFlags.receptionMask) {
    case frameFlags.broadcast:
      return 'B   '
    case frameFlags.multicast:
      return 'M   '
    case frameFlags.promiscuous:
      return 'P   '
    default:
      return direction === frameFlags.inbound ? 'In  ' : ''
  }
}

function json(packet: ShownPacket): string {
  const { linkType, data, originalLength, timestamp, flags, comments } = packet
  const direction = flags & frameFlags.directionMask
  const known = {
    timestamp,
    interface: packet.interface,
    linkType: linkTypeName(linkType),
    length: data.length,
    originalLength,
    direction:
      direction === frameFlags.inbound
        ? 'inbound'
        : direction === frameFlags.outbound
          ? 'outbound'
          : undefined,
    comments,
  }
  if (typeof linkType !== 'string') return toJson({ ...known, payload: data })
  const decoded = decode(data, linkType, { originalLength })
  return toJson({ ...known, description: describe(data, linkType), ...headersOf(decoded) })
}

/** The innermost payload stands for those around it, which it is part of. */
function headersOf({ inner, payload, ...headers }: DecodedFrame): object {
  const shown: Record<string, unknown> = {}
  for (const [name, header] of Object.entries(headers)) shown[name] = withoutPayload(header)
  return inner === undefined ? { ...shown, payload } : { ...shown, inner: headersOf(inner) }
}

function withoutPayload(header: unknown): unknown {
  if (typeof header !== 'object' || header === null || !('payload' in header)) return header
  const { payload, ...rest } = header
  return rest
}
