import {
  construct,
  invalidArgumentValue,
  NetloomError,
  requireOptions,
  requireOwnCall,
  SystemError,
} from '../errors/index.js'
import { deferred, onAbort } from '../lifecycle/index.js'
import {
  budgetSpent,
  type CloseReason,
  type FrameBatch,
  NativePort,
  type Offload,
  type PortEvent,
  type ReceiveOptions,
  report,
  type SendResult,
  type WaitOptions,
} from '../port/index.js'
import type { CaptureBatch } from './capture-batch.js'
import type { CaptureStatistics } from './capture-statistics.js'
import { createPacketPort, type NativePacketPort } from './handle.js'
import { LinkMonitor } from './link-monitor.js'
import { type CaptureLinkType, linkTypeOf } from './link-type.js'
import { filterRefusal, type LiveFilter, type LiveFilterOptions, liveFilter } from './live-filter.js'
import { findLink, type OpenedCapture, openCapture } from './open-capture.js'
import {
  anySettings,
  type CaptureAnyOptions,
  type CaptureFilter,
  type CaptureOptions,
  checkFilter,
  interfaceSettings,
} from './options.js'
import { type RecordingOptions, type RecordingResult, record } from './recording.js'
import { RingBatch, RingBlock } from './ring-batch.js'
import { type FrameColumns, selectFrames } from './select-frames.js'

// include/uapi/asm-generic/errno-base.h, errno.h
const ENXIO = 6
const EINVAL = 22
const EAGAIN = 11
const EMSGSIZE = 90
const ENETDOWN = 100
const ENOBUFS = 105

/** What PACKET_VNET_HDR takes. */
const sendable: readonly Offload[] = ['checksum', 'tso4', 'tso6', 'tso-ecn', 'uso4', 'uso6']

/**
 * What passes an interface, or all of them, as a port. Frames that are sent go out by the interface, and are not
 * captured by the same port.
 *
 *     await using capture = await Capture.open({ interface: 'eth0', filter: 'udp port 53' })
 *     for await (const packet of packets(capture)) console.log(describe(packet))
 *
 * While the interface is down nothing arrives; when it is removed, or moved to another namespace, the port ends with
 * reason `removed`.
 */
export class Capture<L extends CaptureLinkType = CaptureLinkType> extends NativePort<L, NativePacketPort> {
  /** Name of the interface when it was opened; `any` for all. */
  readonly name: string
  /** Index of the interface in its namespace; 0 for all. */
  readonly index: number
  /** Number of the fanout group that it is a member of. */
  readonly fanoutGroup: number | undefined
  /** Whose clock the times are of: CLOCK_REALTIME of this host, or that of the device. */
  readonly clock: 'system' | 'device'
  /** What becomes of super-frames. */
  readonly offload: 'off' | 'split' | 'whole'
  readonly #monitor: LinkMonitor
  readonly #liveOptions: LiveFilterOptions
  readonly #counters = new BigUint64Array(4)
  readonly #forget: () => void
  readonly #released: Promise<void>
  #live: LiveFilter
  #inKernel: boolean
  readonly #inlineVlan: boolean
  /** Frames that a former filter let into the ring, and how many are handed on once there are none. */
  #unchecked = 0
  #uncheckedUntil = 0n
  /** Batches that lie in the ring. */
  readonly #lent = new Set<RingBatch<L>>()
  #lostBefore = 0
  readonly #refused = new Set<Offload>()
  #look: NodeJS.Timeout | undefined
  readonly #lowLatency: boolean
  readonly #timeoutMs: number
  #recording: { stop(): Promise<unknown> } | undefined

  private constructor(key: typeof construct, opened: OpenedCapture<L>, signal: AbortSignal | undefined) {
    requireOwnCall(key)
    const { link, ring, settings, linkType } = opened
    const released = deferred<void>()
    super(onReady => createPacketPort(ring, link?.index ?? 0, onReady, released.resolve), {
      linkType,
      name: link?.name ?? 'any',
      ethernet: linkType === 'ethernet',
      packetInformation: false,
      vnetHeaderSize: settings.offload === 'off' ? 0 : 10,
      split: settings.offload === 'split',
      accepts: settings.offload === 'off' ? [] : sendable,
      maxFrameLength: settings.snapLength,
      captured: true,
    })
    this.#released = released.promise
    this.#lowLatency = settings.lowLatency
    this.offload = settings.offload
    this.#timeoutMs = settings.timeoutMs
    this.name = link?.name ?? 'any'
    this.index = link?.index ?? 0
    this.fanoutGroup = ring.fanoutGroup < 0 ? undefined : ring.fanoutGroup
    this.clock = settings.hardwareTime ? 'device' : 'system'
    this.#liveOptions = opened.liveOptions
    this.#live = opened.live
    this.#inKernel = ring.filterError === 0
    this.#monitor = new LinkMonitor(opened.where, link, () => this.#finish({ type: 'removed' }))
    this.#forget = () => {}
    this.#inlineVlan = settings.inlineVlan && linkType !== 'ip'
    if (!this.#inKernel) this.#announce(ring.filterError)
    this.handle.tellVlan(!this.#inKernel)
    if (ring.down) this.#monitor.follow()
    this.#forget = onAbort(signal, () => void this.close())
  }

  /**
   * Captures one interface, which may be down. Its link type follows from the interface: `ethernet`; `ip` where the
   * link carries nothing else; otherwise `linux-sll2`, with a header that says what the packet is.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_LINK_MISMATCH` when it is not of the `linkType` asked for,
   * `ERR_NAMESPACE_NOT_FOUND`; FilterError; SystemError `EPERM` with the missing right, `ENOMEM`; TypeError and
   * RangeError for bad options, before anything happens
   */
  static async open<T extends CaptureLinkType = CaptureLinkType>(
    options: CaptureOptions & { linkType?: T | undefined },
  ): Promise<Capture<T>> {
    const settings = interfaceSettings(options)
    const link = findLink(options)
    const own = linkTypeOf(link.hardwareType)
    const linkType = settings.linkType ?? own
    if (linkType !== own && linkType !== 'linux-sll2') {
      throw new NetloomError('ERR_LINK_MISMATCH', `frames of ${link.name} are '${own}', not '${linkType}'`)
    }
    if (settings.offload !== 'off' && linkType !== 'ethernet') {
      throw invalidArgumentValue('options.offload', settings.offload, 'is for links of Ethernet only')
    }
    return new Capture(construct, await openCapture(options, settings, link, linkType as T), options.signal)
  }

  /**
   * Captures all interfaces of a namespace, those to come included. Each frame has a header of the kernel's making,
   * and the index of its interface in the column `interfaces`. It cannot send.
   * @throws as {@link open}
   */
  static async openAny(options: CaptureAnyOptions = {}): Promise<Capture<'linux-sll2'>> {
    const settings = anySettings(options)
    return new Capture(
      construct,
      await openCapture(options, settings, undefined, 'linux-sll2'),
      options.signal,
    )
  }

  override tryReceive(options?: ReceiveOptions): CaptureBatch<L> | undefined {
    return super.tryReceive(options) as CaptureBatch<L> | undefined
  }

  override batches(options?: ReceiveOptions & WaitOptions): AsyncIterableIterator<CaptureBatch<L>> {
    return super.batches(options) as AsyncIterableIterator<CaptureBatch<L>>
  }

  /**
   * Blocks of the ring as they are, a batch each: nothing is copied. A batch goes back to the kernel at the next step,
   * or with `release()` if `keep()` was called, and views of it have length 0 from then on. The kernel fills blocks in
   * order: one that is kept for long stops the capture when its turn comes again. To move its bytes elsewhere
   * (`transfer()` of its buffer) ends the port. With `latency: 'batched'` and `offload: 'off'` only.
   * @throws NetloomError `ERR_UNSUPPORTED`; as `batches()`
   */
  blocks(options?: WaitOptions): AsyncIterableIterator<CaptureBatch<L>> {
    if (this.#lowLatency || this.offload !== 'off') {
      throw new NetloomError('ERR_UNSUPPORTED', "blocks are of latency 'batched' and offload 'off'")
    }
    const { signal } = requireOptions('options', options, ['signal'])
    const reader = this.readWith('reader', signal, () => this.#takeBlock())
    return reader as AsyncIterableIterator<CaptureBatch<L>>
  }

  /** The kernel runs the filter; otherwise it is run here, on every frame. */
  get filterInKernel(): boolean {
    return this.#inKernel
  }

  /** What the kernel counted; after the end of the port, until then. */
  stats(): CaptureStatistics {
    this.handle.counters(this.#counters)
    const [received, dropped, freezes] = this.#counters
    return { received: received!, dropped: dropped!, freezes: freezes! }
  }

  /**
   * Another filter, in one step: every frame passes the one or the other. From the next batch on there are none that
   * the new one refuses. No filter: everything.
   * @throws FilterError; the old filter stays
   */
  setFilter(filter: CaptureFilter | undefined): void {
    this.#checkOpen()
    if (this.owner === 'forward') {
      throw new NetloomError('ERR_INVALID_STATE', 'frames are being written to a file, or forwarded')
    }
    const live = liveFilter(checkFilter('filter', filter), this.#liveOptions)
    const errno = live.filter.length === 0 ? EINVAL : this.handle.attachFilter(live.filter)
    const inKernel = errno === 0
    if (!inKernel) {
      const failed = this.handle.attachFilter(live.fallback)
      if (failed) throw filterRefusal(failed)
    }
    this.#live = live
    this.#inKernel = inKernel
    this.handle.counters(this.#counters)
    const [received, dropped, , consumed] = this.#counters
    this.#uncheckedUntil = received! - dropped!
    this.#unchecked = Number(this.#uncheckedUntil - consumed!)
    this.handle.tellVlan(!inKernel || this.#unchecked > 0)
    this.#monitor.forget('filter-fallback')
    if (!inKernel) this.#announce(errno)
  }

  /**
   * Changes of the interface, and what becomes of the capture: `dropped`, `filter-fallback`, `offload-disabled`. The
   * first event is `state`. An open iterator keeps the process alive.
   */
  override events(options?: WaitOptions): AsyncIterableIterator<PortEvent> {
    return this.#monitor.events(options)
  }

  override trySend(batch: FrameBatch<L> | Uint8Array, from = 0): SendResult {
    this.#checkSending()
    return super.trySend(batch, from)
  }

  override async send(batch: FrameBatch<L> | Uint8Array, options?: WaitOptions): Promise<SendResult> {
    this.#checkSending()
    return super.send(batch, options)
  }

  /**
   * Writes what comes into a file, on a thread of its own and without a frame in JavaScript: to a path or a
   * `file:` URL, or to a descriptor that stays open. The name says format and compression unless the options do. Owns the port until a bound of `stop` is met, the signal aborts or the port ends;
   * then it resolves, with all files complete. A filter that the kernel refused is run on that thread.
   * @throws NetloomError `ERR_PORT_LOCKED`, `ERR_PORT_CLOSED`; errors of Node's for files that cannot be made or written
   */
  async toFile(target: string | URL | number, options?: RecordingOptions): Promise<RecordingResult> {
    this.#checkNothingLent()
    const recording = record(
      {
        handle: this.handle,
        linkType: this.linkType,
        name: this.name,
        snapLength: this.maxFrameLength,
        ended: () => this.ended,
        closed: this.closed,
        occupy: () => this.occupy('forward'),
        unchecked: () => this.#takeUnchecked(),
        filter: (!this.#inKernel && this.#live.program?.bytes()) || new Uint8Array(0),
      },
      target,
      options,
    )
    this.#recording = recording
    try {
      return await recording.done
    } finally {
      this.#recording = undefined
    }
  }

  /** Ends the port; a file that is being written is completed first. */
  override async close(): Promise<void> {
    await this.#recording?.stop()
    await super.close()
    await this.#released
  }

  protected override kernelDrops(): bigint {
    return this.stats().dropped
  }

  protected override onEnd(reason: CloseReason): void {
    this.#forget()
    clearTimeout(this.#look)
    for (const batch of [...this.#lent]) batch.release()
    this.#monitor.end(reason.type === 'removed')
  }

  protected override lost(frames: number): void {
    this.#monitor.push({ type: 'dropped', frames })
  }

  protected override offloadsRefused(offloads: readonly Offload[]): void {
    for (const offload of offloads) {
      // A forward finds out anew.
      if (this.#refused.has(offload)) continue
      this.#refused.add(offload)
      this.#monitor.push({ type: 'offload-disabled', offload }, true)
    }
  }

  /** The socket says the same of an interface that is down and of one that is removed. */
  protected override troubled(errno: number): boolean {
    if (errno !== ENETDOWN && errno !== EAGAIN) {
      const error = new SystemError({ errno: -errno, syscall: 'poll', subject: this.name })
      this.#finish({ type: 'error', error })
    } else if (this.handle.isGone()) {
      this.#finish({ type: 'removed' })
    } else {
      this.#monitor.follow()
    }
    return this.ended
  }

  /** While the newest block is with the user, the socket polls as readable: it is looked at now and then instead. */
  protected override awaitFrames(): void {
    if (this.#lent.size === 0 || !this.handle.newestIsLent()) {
      super.awaitFrames()
      return
    }
    this.#look ??= setTimeout(() => {
      this.#look = undefined
      this.wakeReader()
    }, this.#timeoutMs)
  }

  #takeBlock(): RingBatch<L> | undefined {
    for (;;) {
      const frames = this.handle.blockFrames(true)
      if (frames === budgetSpent) return undefined
      const lost = report()[3]!
      if (lost > 0) {
        this.#lostBefore += lost
        this.lost(lost)
      }
      if (frames === 0) {
        this.setDrained()
        return undefined
      }
      const block = new RingBlock(this.handle, frames)
      const count = this.select(block, 0, frames)
      if (count === 0) {
        this.#giveBack(block)
        continue
      }
      let bytes = 0
      for (let i = 0; i < count; i++) bytes += block.lengths[i]!
      this.countReceived(count, bytes)
      const dropped = this.#lostBefore
      this.#lostBefore = 0
      const batch = new RingBatch(this.linkType, block, count, dropped, released => {
        this.#lent.delete(released)
        this.#giveBack(block)
      })
      this.#lent.add(batch)
      return batch
    }
  }

  #giveBack(block: RingBlock): void {
    if (block.giveBack() || this.ended) return
    const error = new NetloomError('ERR_INVALID_STATE', 'the bytes of a block were moved away')
    this.end({ type: 'error', error })
  }

  protected override select(slab: FrameColumns, first: number, count: number): number {
    const { program } = this.#live
    if (this.#inKernel && this.#unchecked <= 0) return count
    // What is cut comes as more frames than were in the ring: all are looked at until those are gone.
    const cuts = this.offload === 'split'
    const some = this.#inKernel && !cuts ? Math.min(this.#unchecked, count) : count
    this.#unchecked = Math.max(0, cuts ? this.#leftUnchecked() : this.#unchecked - count)
    if (this.#inKernel && this.#unchecked === 0) this.handle.tellVlan(false)
    return selectFrames(slab, {
      program,
      linkType: this.linkType,
      first,
      count,
      some,
      inline: this.#inlineVlan,
    })
  }

  protected override frameError(index: number, length: number, errno: number): Error {
    // The send has taken the error that the poll would have been told of.
    if (errno === ENETDOWN || errno === ENXIO) queueMicrotask(() => !this.ended && this.troubled(ENETDOWN))
    if (errno === EMSGSIZE) {
      return new NetloomError(
        'ERR_FRAME_TOO_LONG',
        `frame ${index} has ${length} bytes, which is more than the MTU of ${this.name} allows`,
      )
    }
    const hint =
      errno === ENETDOWN
        ? 'the interface is down'
        : errno === ENXIO
          ? 'the interface was removed'
          : errno === ENOBUFS
            ? 'the queue of the interface is full'
            : undefined
    if (!hint) return super.frameError(index, length, errno)
    return new SystemError({ errno: -errno, syscall: 'sendmmsg', subject: this.name, hint })
  }

  /** Ends the port; a file that is being written is completed first. */
  #finish(reason: CloseReason): void {
    const recording = this.#recording
    if (recording) void recording.stop().then(() => this.end(reason))
    else this.end(reason)
  }

  #announce(errno: number): void {
    this.#monitor.push({ type: 'filter-fallback', error: filterRefusal(errno) }, true)
  }

  protected override forwardable(): number {
    this.#checkSending()
    if (!this.#inKernel) {
      throw new NetloomError('ERR_UNSUPPORTED', 'of a filter that the kernel refused nothing is forwarded')
    }
    this.#checkNothingLent()
    if (!this.#inlineVlan && this.linkType === 'ethernet') {
      throw new NetloomError(
        'ERR_UNSUPPORTED',
        "frames are forwarded with their VLAN tags in place: vlan: 'inline'",
      )
    }
    return Math.max(0, this.#unchecked)
  }

  /** What it did not get to leave out is left out here. */
  protected override forwarded(): void {
    this.#unchecked = Math.max(0, this.#leftUnchecked())
  }

  /** For what reads the ring in native code only. */
  #checkNothingLent(): void {
    if (this.#lent.size > 0) throw new NetloomError('ERR_INVALID_STATE', 'blocks of the ring are kept')
  }

  #leftUnchecked(): number {
    this.handle.counters(this.#counters)
    return Number(this.#uncheckedUntil - this.#counters[3]!)
  }

  /** How many frames in the ring are not for a file. */
  #takeUnchecked(): number {
    // All are looked at.
    if (!this.#inKernel) return 0
    const frames = Math.max(0, this.#unchecked)
    this.#unchecked = 0
    this.handle.tellVlan(false)
    return frames
  }

  #checkOpen(): void {
    if (this.ended) throw new NetloomError('ERR_PORT_CLOSED', 'the port is closed')
  }

  #checkSending(): void {
    if (this.linkType !== 'linux-sll2') return
    throw new NetloomError('ERR_UNSUPPORTED', 'a capture with headers of its own making cannot send')
  }
}
