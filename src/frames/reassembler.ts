import { concatBytes, equalBytes, readUint16, writeUint16 } from '../bytes/index.js'
import { requireInteger, requireOptions } from '../errors/index.js'
import { finishIpv4 } from './fragment.js'
import { FrameError, malformed, truncated } from './frame-error.js'
import { ipProtocols } from './ip-protocols.js'
import { Ipv4View } from './ipv4.js'
import { Ipv6View, ipv6ExtensionLength } from './ipv6.js'

/** Bytes that count for each fragment besides its own: small ones cost memory too. */
const overhead = 128

export interface ReassemblerOptions {
  /** Most bytes of fragments that are kept, 128 more for each; the oldest packets go. Default 4 MiB, as in Linux. */
  maxBytes?: number | undefined
  /** Most packets that are waited for. Default 1024. */
  maxPackets?: number | undefined
  /** How long a packet is waited for, from its first fragment on. Default 30,000, as in Linux; RFC 8200 says 60,000. */
  timeoutMs?: number | undefined
}

/** What became of fragments. */
export interface ReassemblerCounters {
  /** Packets put together. */
  reassembled: number
  /** Packets given up: not all came in time. */
  timedOut: number
  /** Packets given up: there was no room. */
  evicted: number
  /** Packets given up: fragments overlapped, or disagreed about the length. */
  overlapping: number
  /** Fragments that were cut, or are wrong by themselves. */
  malformed: number
}

/** A fragment's own part of the packet: `bytes` from `start`. */
interface Piece {
  start: number
  bytes: Uint8Array
}

interface Pending {
  since: number
  /** In order; undefined once given up, until the time is over: what comes later is dropped too. */
  pieces: Piece[] | undefined
  bytes: number
  /** Headers of the first fragment, made into those of the whole. */
  head: Uint8Array | undefined
  /** Length of what is fragmented, once the last fragment came. */
  length: number | undefined
  /** A router on the way was congested (ECN 3); the whole packet says so. */
  congested: boolean
}

/** A fragment, taken apart. */
interface Fragment {
  key: string
  start: number
  bytes: Uint8Array
  isLast: boolean
  head: Uint8Array
  congested: boolean
}

/**
 * Puts fragments of IPv4 and IPv6 packets together, within limits of memory and time. A packet whose fragments overlap
 * is given up (RFC 5722; for IPv4 too, where nobody overlaps them but to deceive); exact duplicates do no harm.
 *
 *     const reassembler = new Reassembler()
 *     for await (const packet of packets(tun)) {
 *       const whole = reassembler.add(packet, performance.now())
 *       if (whole) handle(whole)
 *     }
 */
export class Reassembler {
  readonly counters: ReassemblerCounters = {
    reassembled: 0,
    timedOut: 0,
    evicted: 0,
    overlapping: 0,
    malformed: 0,
  }
  readonly #maxBytes: number
  readonly #maxPackets: number
  readonly #timeoutMs: number
  /** Oldest first. */
  readonly #pending = new Map<string, Pending>()
  #bytes = 0

  constructor(options?: ReassemblerOptions) {
    const known = ['maxBytes', 'maxPackets', 'timeoutMs'] as const
    const { maxBytes, maxPackets, timeoutMs } = requireOptions('options', options, known)
    this.#maxBytes = requireInteger('maxBytes', maxBytes ?? 4 << 20, 65536, 2 ** 31)
    this.#maxPackets = requireInteger('maxPackets', maxPackets ?? 1024, 1, 2 ** 20)
    this.#timeoutMs = requireInteger('timeoutMs', timeoutMs ?? 30_000, 1, 2 ** 31)
  }

  /** Packets that are waited for. */
  get pending(): number {
    return this.#pending.size
  }

  /** Bytes of fragments that are kept, 128 more for each. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Takes a packet, which begins at its IP header; `nowMs` is the time on any clock that does not go back. Returns the
   * packet itself if it is no fragment, the whole one when this fragment completes it, else `undefined`. What is
   * returned is yours; what was given is copied where it is kept. Bytes that are no packet are returned as they are.
   */
  add(packet: Uint8Array, nowMs: number): Uint8Array | undefined {
    this.#expire(nowMs)
    let fragment: Fragment | undefined
    try {
      fragment = takeApart(packet)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      if (!looksLikeFragment(packet)) return packet
      this.counters.malformed++
      return undefined
    }
    if (!fragment) return packet
    return this.#insert(fragment, nowMs)
  }

  /** Forgets all fragments. */
  clear(): void {
    this.#pending.clear()
    this.#bytes = 0
  }

  #insert(fragment: Fragment, nowMs: number): Uint8Array | undefined {
    const { key, start, isLast } = fragment
    // A packet in one fragment is by itself, whatever others have the same number (RFC 6946).
    if (start === 0 && isLast) return putTogether(fragment.head, [fragment], fragment.congested)
    const pending = this.#pending.get(key) ?? this.#begin(key, nowMs)
    const { pieces } = pending
    if (!pieces) return undefined
    const end = start + fragment.bytes.length
    const at = pieces.findIndex(piece => piece.start + piece.bytes.length > start)
    const next = at < 0 ? undefined : pieces[at]
    if (next && next.start === start && equalBytes(next.bytes, fragment.bytes)) return undefined
    const length = isLast ? end : pending.length
    const last = pieces.at(-1)
    const disagrees =
      (isLast && pending.length !== undefined && pending.length !== end) ||
      (length !== undefined && (end > length || (last && last.start + last.bytes.length > length)))
    if ((next && next.start < end) || disagrees) {
      this.#giveUp(pending)
      this.counters.overlapping++
      return undefined
    }
    pieces.splice(at < 0 ? pieces.length : at, 0, { start, bytes: fragment.bytes.slice() })
    pending.length = length
    pending.congested ||= fragment.congested
    if (start === 0) pending.head = fragment.head.slice()
    const size = overhead + fragment.bytes.length + (start === 0 ? fragment.head.length : 0)
    pending.bytes += size
    this.#bytes += size
    if (pending.length !== undefined && pending.head && isWhole(pieces, pending.length)) {
      this.#remove(key, pending)
      this.counters.reassembled++
      return putTogether(pending.head, pieces, pending.congested)
    }
    this.#evict()
    return undefined
  }

  #begin(key: string, since: number): Pending {
    const pending = { since, pieces: [], bytes: 0, head: undefined, length: undefined, congested: false }
    this.#pending.set(key, pending)
    if (this.#pending.size > this.#maxPackets) this.#dropOldest()
    return pending
  }

  #evict(): void {
    while (this.#bytes > this.#maxBytes) this.#dropOldest()
  }

  #dropOldest(): void {
    for (const [key, pending] of this.#pending) {
      if (pending.pieces) this.counters.evicted++
      this.#remove(key, pending)
      return
    }
  }

  #expire(nowMs: number): void {
    for (const [key, pending] of this.#pending) {
      if (nowMs - pending.since < this.#timeoutMs) return
      if (pending.pieces) this.counters.timedOut++
      this.#remove(key, pending)
    }
  }

  #giveUp(pending: Pending): void {
    this.#bytes -= pending.bytes
    pending.bytes = 0
    pending.pieces = undefined
    pending.head = undefined
  }

  #remove(key: string, pending: Pending): void {
    this.#bytes -= pending.bytes
    this.#pending.delete(key)
  }
}

function isWhole(pieces: readonly Piece[], length: number): boolean {
  let end = 0
  for (const piece of pieces) {
    if (piece.start !== end) return false
    end += piece.bytes.length
  }
  return end === length
}

function putTogether(head: Uint8Array, pieces: readonly Piece[], congested: boolean): Uint8Array {
  const packet = concatBytes(head, ...pieces.map(piece => piece.bytes))
  if (packet[0]! >> 4 === 4) {
    if (congested) packet[1]! |= 3
    finishIpv4(packet, head.length)
  } else {
    if (congested) packet[1]! |= 0x30
    writeUint16(packet, 4, packet.length - 40)
  }
  return packet
}

/** `undefined` for what is no fragment. @throws FrameError */
function takeApart(packet: Uint8Array): Fragment | undefined {
  const version = packet.length > 0 ? packet[0]! >> 4 : 0
  if (version === 4) return takeApart4(new Ipv4View(packet))
  return version === 6 ? takeApart6(new Ipv6View(packet)) : undefined
}

function takeApart4(view: Ipv4View): Fragment | undefined {
  if (!view.isFragment) return undefined
  if (view.isCut) throw truncated('ipv4', view.totalLength, view.end)
  const { bytes, payloadOffset, fragmentOffset: start, moreFragments, protocol, source, destination } = view
  const payload = view.payload()
  requireFragment('ipv4', start, payload.length, moreFragments, 65535 - view.headerLength)
  const head = bytes.slice(0, payloadOffset)
  // Nothing is left of being a fragment but the permission to be one.
  writeUint16(head, 6, readUint16(head, 6) & 0xc000)
  const key = `${source} ${destination} ${protocol} ${view.identification}`
  return { key, start, bytes: payload, isLast: !moreFragments, head, congested: view.ecn === 3 }
}

function takeApart6(view: Ipv6View): Fragment | undefined {
  const { bytes, payloadEnd } = view
  let pointer = 6
  let at = 40
  while (at < view.payloadOffset && bytes[pointer] !== ipProtocols.fragment) {
    const type = bytes[pointer]!
    pointer = at
    at += ipv6ExtensionLength(bytes, at, type)
  }
  if (at >= view.payloadOffset) return undefined
  if (view.isCut) throw truncated('ipv6', 40 + view.length, view.end)
  const { fragmentOffset: start, moreFragments, identification, source, destination } = view
  const payload = bytes.subarray(at + 8, payloadEnd)
  requireFragment('ipv6', start, payload.length, moreFragments, 65535 - (at - 40))
  const head = bytes.slice(0, at)
  head[pointer] = bytes[at]!
  const key = `${source} ${destination} ${identification}`
  return { key, start, bytes: payload, isLast: !moreFragments, head, congested: view.ecn === 3 }
}

function requireFragment(
  layer: 'ipv4' | 'ipv6',
  start: number,
  length: number,
  more: boolean,
  limit: number,
): void {
  if (length === 0 || (more && length % 8 !== 0)) throw malformed(layer, `a fragment has ${length} bytes`)
  if (start + length > limit) throw malformed(layer, 'a fragment ends after the longest packet')
}

/** Whether bytes that cannot be read as a packet were meant to be a fragment. */
function looksLikeFragment(packet: Uint8Array): boolean {
  if (packet.length < 20) return false
  if (packet[0]! >> 4 === 4) return (readUint16(packet, 6) & 0x3fff) !== 0
  return packet[0]! >> 4 === 6 && packet.length >= 40 && packet[6] === ipProtocols.fragment
}
