import { endianness } from 'node:os'
import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  outOfRange,
  requireBoolean,
  requireInteger,
  requireOptions,
} from '../errors/index.js'
import { compileFilter, FilterProgram } from '../filter/index.js'
import type { LinkType } from '../frames/index.js'
import { checkSignal, deferred, onAbort } from '../lifecycle/index.js'
import { type ForwardObserveOptions, ForwardObserver } from './forward-observer.js'
import { type NativeForward, report, startForward } from './handle.js'
import { NativePort } from './native-port.js'
import { type ForwardedCounts, type ForwardedSide, joinForward } from './ownership.js'
import type { CloseReason, FramePort } from './port.js'

// include/uapi/asm-generic/errno.h
const ENETDOWN = 100

const littleEndian = endianness() === 'LE'

/** What may go one way. */
export interface ForwardDirectionOptions {
  /**
   * Frames that pass: an expression of tcpdump's language, a program, or the bytes of one (`struct sock_filter`,
   * linux/filter.h, in the machine's byte order). It is run on the thread that forwards. Default all.
   */
  filter?: string | FilterProgram | Uint8Array | undefined
  /** Most that passes; what is more waits, as the device beneath the port lets it. Default no bound. */
  rate?: ForwardRate | undefined
}

/** A token bucket. */
export interface ForwardRate {
  /** Of frames as they are, link header included. */
  bitsPerSecond: number
  /**
   * Bytes that may pass at once after a rest; a frame that is longer passes too, and is made up for. Default what
   * comes to 10 ms, at least 65536. With less than what comes to a millisecond the rate is not reached.
   */
  burstBytes?: number | undefined
}

export interface ForwardOptions {
  /** For frames that come from the first port. */
  aToB?: ForwardDirectionOptions | undefined
  /** For frames that come from the second port. */
  bToA?: ForwardDirectionOptions | undefined
  /** `shared` (default): one thread for all forwards of this worker, which work in turns; `own`: one for this alone. */
  thread?: 'shared' | 'own' | undefined
  /** Begin paused. Default false. */
  paused?: boolean | undefined
  /** Ends the forward, as `close()` does. */
  signal?: AbortSignal | undefined
}

/** What went one way since the forward began. */
export interface ForwardCounters {
  /** Frames, and their bytes, that the other port took. */
  frames: bigint
  bytes: bigint
  /** Frames that the filter did not let pass. */
  filtered: bigint
  /** Frames that were lost: the sum of the next four. */
  dropped: bigint
  /** Longer than the other port takes. */
  tooLong: bigint
  /** Refused by the other port for another reason: its link is down, a full queue of an interface, malformed. */
  refused: bigint
  /** Cut off before they came: longer than 64 KiB, or than the `snapLength` of a capture. */
  incomplete: bigint
  /** Waited for room in the other port when the forward ended. */
  leftOver: bigint
}

/** Why a forward ended. */
export type ForwardEnd =
  /** `close()` was called, or the signal aborted. */
  | { type: 'closed' }
  /** One of the ports has ended, for the reason given; `a` is the first. */
  | { type: 'port'; port: 'a' | 'b'; reason: CloseReason }

/**
 * Passes frames between two ports, both ways, on a thread of native code: none of them comes to JavaScript, whose loop
 * may be busy or idle. Where both ports have virtio-net headers super-frames pass whole.
 *
 *     await using tunnel = forward(tap, capture, { aToB: { filter: 'not arp' } })
 *     console.log(tunnel.counters().aToB.frames)
 *
 * Frames are read when there is room for them on the other side; until then they wait beneath the port. A forward that
 * runs keeps the process alive, owns both ports (`owner` is `forward`), and leaves them open at its end; they may send
 * meanwhile. When a port ends so does the forward.
 *
 * @throws NetloomError `ERR_NOT_NATIVE_PORT` for a port that is not a `Tap`, `Tun` or `Capture` itself,
 * `ERR_PORT_LOCKED` for one that somebody reads, `ERR_PORT_CLOSED`, `ERR_UNSUPPORTED` for a capture that cannot be
 * forwarded; FilterError; TypeError and RangeError for bad options
 */
export function forward<L extends LinkType>(
  a: FramePort<L>,
  b: FramePort<NoInfer<L>>,
  options?: ForwardOptions,
): Forward<L> {
  const first = nativePort('a', a)
  const second = nativePort('b', b)
  if (first === second) throw invalidArgumentValue('b', b, 'must be another port than a')
  if (first.linkType !== second.linkType) {
    throw invalidArgumentValue('b.linkType', second.linkType, `must be '${first.linkType}', as that of a`)
  }
  const settings = forwardSettings(options, first.linkType)
  return new Forward(first, second, settings)
}

/** What of a port a forward needs. */
interface Forwardable {
  linkType: LinkType
  [joinForward]: NativePort<LinkType>[typeof joinForward]
}

/** A forward that was begun by {@link forward}. */
export class Forward<L extends LinkType = LinkType> implements AsyncDisposable {
  readonly #linkType: LinkType
  readonly #sides: ForwardedSide[] = []
  readonly #native: NativeForward
  readonly #values = new BigUint64Array(18)
  readonly #closed = deferred<ForwardEnd>()
  readonly #observers = new Set<ForwardObserver<L>>()
  readonly #forget: () => void
  #paused: boolean
  #over = false

  /** @internal */
  constructor(a: Forwardable, b: Forwardable, settings: ForwardSettings) {
    this.#linkType = a.linkType
    this.#paused = settings.paused
    try {
      for (const [index, port] of [a, b].entries()) this.#sides.push(port[joinForward](this.#member(index)))
      const [first, second] = this.#sides as [ForwardedSide, ForwardedSide]
      this.#native = startForward(
        { ...settings, handles: [first.handle, second.handle], skips: [first.skip, second.skip] },
        () => this.#onEvent(),
      )
    } catch (error) {
      for (const side of this.#sides) side.leave()
      throw error
    }
    this.#forget = () => {}
    this.#forget = onAbort(settings.signal, () => void this.close())
  }

  /** Resolves, never rejects, when both ports are free. */
  get closed(): Promise<ForwardEnd> {
    return this.#closed.promise
  }

  /** After the end as it was then. */
  get paused(): boolean {
    return this.#paused
  }

  counters(): { aToB: ForwardCounters; bToA: ForwardCounters } {
    this.#native.counters(this.#values)
    const direction = (from: number) => {
      const [frames, bytes, filtered, incomplete, tooLong, refused, leftOver] = this.#values.subarray(
        from + 2,
      )
      const dropped = incomplete! + tooLong! + refused! + leftOver!
      return { frames, bytes, filtered, dropped, tooLong, refused, incomplete, leftOver } as ForwardCounters
    }
    return { aToB: direction(0), bToA: direction(9) }
  }

  /** Reads nothing more, once this has returned, until `resume()`; frames wait beneath the ports. */
  pause(): void {
    this.#pause(true)
  }

  resume(): void {
    this.#pause(false)
  }

  /**
   * Copies of what passes, in batches, until the forward ends: `timestamps` in nanoseconds since 1970, the column
   * `interfaces` 0 for frames that came from the first port and 1 for those from the second, `originalLengths`, and `gso`:
   * super-frames are seen whole, and `cutFrames()` makes the frames that they stand for.
   * An observer that is slow loses frames of its own, which it counts, and slows nothing down.
   */
  observe(options?: ForwardObserveOptions): ForwardObserver<L> {
    const observer = new ForwardObserver<L>(
      this.#linkType as L,
      this.#over ? undefined : this.#native,
      options,
      ended => this.#observers.delete(ended),
    )
    if (!this.#over && !observer.done) this.#observers.add(observer)
    return observer
  }

  /** Ends it; the ports stay open, and are free when this resolves. Idempotent. */
  async close(): Promise<void> {
    this.#finish({ type: 'closed' })
    await this.#closed.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  ref(): this {
    this.#native.ref(true)
    return this
  }

  unref(): this {
    this.#native.ref(false)
    return this
  }

  #pause(paused: boolean): void {
    if (this.#over) return
    this.#paused = paused
    this.#native.setPaused(paused)
  }

  #finish(end: ForwardEnd): void {
    if (this.#over) return
    this.#over = true
    this.#forget()
    this.#native.close()
    for (const side of this.#sides) side.leave()
    for (const observer of [...this.#observers]) observer.finish()
    this.#closed.resolve(end)
  }

  #onEvent(): void {
    if (this.#over) return
    this.#native.tell()
    const [, port, errno, trouble, ...refused] = report()
    for (const [index, side] of this.#sides.entries()) if (refused[index]) side.refused(refused[index])
    if (port! >= 0) {
      // It ends for the reason that it finds, and the forward with it.
      this.#sides[port!]!.failed(errno!)
      return
    }
    for (const [index, side] of this.#sides.entries()) if (trouble! & (1 << index)) side.troubled(ENETDOWN)
    for (const observer of [...this.#observers]) observer.wake()
  }

  #member(index: number) {
    return {
      counts: () => this.#counts(index),
      portEnded: (reason: CloseReason) =>
        this.#finish({ type: 'port', port: index === 0 ? 'a' : 'b', reason }),
    }
  }

  #counts(index: number): ForwardedCounts {
    // Not there yet where the other port refused.
    this.#native?.counters(this.#values)
    const own = index * 9
    const other = 9 - own
    return {
      receivedFrames: Number(this.#values[own]),
      receivedBytes: Number(this.#values[own + 1]),
      receivedDropped: Number(this.#values[own + 5]),
      sentFrames: Number(this.#values[other + 2]),
      sentBytes: Number(this.#values[other + 3]),
      sentDropped: Number(this.#values[other + 6]! + this.#values[other + 7]!),
    }
  }
}

interface ForwardSettings {
  filters: [Uint8Array | undefined, Uint8Array | undefined]
  rates: Float64Array
  ownThread: boolean
  paused: boolean
  signal: AbortSignal | undefined
}

function nativePort(name: string, port: unknown): Forwardable {
  if (port instanceof NativePort) return port
  if (typeof port !== 'object' || port === null) throw invalidArgumentType(name, 'a port', port)
  throw new NetloomError(
    'ERR_NOT_NATIVE_PORT',
    `${name} is not a Tap, Tun or Capture itself: pass batches on in a loop of yours instead`,
  )
}

function forwardSettings(given: ForwardOptions | undefined, linkType: LinkType): ForwardSettings {
  const options = requireOptions('options', given, ['aToB', 'bToA', 'thread', 'paused', 'signal'])
  const { thread = 'shared', signal } = options
  if (thread !== 'shared' && thread !== 'own') {
    throw invalidArgumentValue('options.thread', thread, "must be 'shared' or 'own'")
  }
  checkSignal(signal)
  const directions = (['aToB', 'bToA'] as const).map(key => {
    const name = `options.${key}`
    const { filter, rate } = requireOptions(name, options[key], ['filter', 'rate'])
    return { program: program(`${name}.filter`, filter, linkType), rate: rateOf(`${name}.rate`, rate) }
  })
  return {
    filters: [directions[0]!.program, directions[1]!.program],
    rates: new Float64Array(directions.flatMap(({ rate }) => rate)),
    ownThread: thread === 'own',
    paused: requireBoolean('options.paused', options.paused),
    signal,
  }
}

function program(
  name: string,
  filter: ForwardDirectionOptions['filter'],
  linkType: LinkType,
): Uint8Array | undefined {
  if (filter === undefined) return undefined
  if (filter instanceof FilterProgram) return filter.bytes({ littleEndian })
  if (filter instanceof Uint8Array)
    return new FilterProgram(instructions(name, filter)).bytes({ littleEndian })
  if (typeof filter !== 'string') {
    throw invalidArgumentType(name, 'a string, a FilterProgram or a Uint8Array', filter)
  }
  if (linkType === 'user0') throw invalidArgumentValue(name, filter, `has no words for '${linkType}'`)
  return compileFilter(filter, { linkType }).bytes({ littleEndian })
}

function instructions(name: string, bytes: Uint8Array) {
  if (bytes.length === 0 || bytes.length % 8 !== 0) {
    throw invalidArgumentValue(name, bytes, 'must have instructions of eight bytes')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / 8 }, (_, i) => ({
    code: view.getUint16(8 * i, littleEndian),
    jt: view.getUint8(8 * i + 2),
    jf: view.getUint8(8 * i + 3),
    k: view.getUint32(8 * i + 4, littleEndian),
  }))
}

/** Bytes a second, and burst; 0, 0 is none. */
function rateOf(name: string, rate: ForwardRate | undefined): [number, number] {
  if (rate === undefined) return [0, 0]
  const { bitsPerSecond, burstBytes } = requireOptions(name, rate, ['bitsPerSecond', 'burstBytes'])
  if (typeof bitsPerSecond !== 'number') {
    throw invalidArgumentType(`${name}.bitsPerSecond`, 'a number', bitsPerSecond)
  }
  if (!(bitsPerSecond >= 1 && bitsPerSecond <= 1e15)) {
    throw outOfRange(`${name}.bitsPerSecond`, '>= 1 and <= 1e15', bitsPerSecond)
  }
  const bytes = bitsPerSecond / 8
  if (burstBytes === undefined) return [bytes, Math.max(65536, bytes / 100)]
  return [bytes, requireInteger(`${name}.burstBytes`, burstBytes, 1, 2 ** 40)]
}
