import type { FrameBatch, LinkType } from '../frames/index.js'

/** Work that a port lets the other side leave undone; see virtio-net header offloads. */
export type Offload = 'checksum' | 'tso4' | 'tso6' | 'tso-ecn' | 'uso4' | 'uso6' | 'udp-tunnel'

/** Bounds of one batch. */
export interface ReceiveOptions {
  /** Most frames in a batch, 1 to 1024. Default 256, of captures 1024. */
  frames?: number
  /** Soft bound of the bytes in a batch: no frame is begun once it is reached. Default 128 KiB. */
  bytes?: number
  /**
   * Whose the memory is. `pooled` (default): the port's again after the batch is released, and views of it
   * then have length 0. `owned`: yours for as long as you hold a view; costs about twice as much.
   */
  lifetime?: 'pooled' | 'owned'
}

export interface WaitOptions {
  signal?: AbortSignal | undefined
}

/** What became of a batch. Every frame before `next` is either sent or dropped. */
export interface SendResult {
  sent: number
  /** Frames that the device refused (link down, malformed, too long); the port goes on with the next. */
  dropped: number
  /** Index of the first frame not looked at: the batch's count, or less when the port would block. */
  next: number
  /** The first refusal. */
  failure?: { index: number; error: Error }
}

/** Frames and bytes since the port was opened; `received` is what came out of the port to its reader. */
export interface PortCounters {
  receivedFrames: bigint
  receivedBytes: bigint
  /** Lost before they could be read: the kernel's queue or the port's own was full. */
  receivedDropped: bigint
  sentFrames: bigint
  sentBytes: bigint
  /** Refused by the device or, in memory, by a full queue. */
  sentDropped: bigint
}

export interface PortState {
  name: string
  index: number
  mtu: number
  /** Administratively up. */
  up: boolean
  carrier: boolean
  macAddress?: string | undefined
}

/** A change of the device beneath a port. The first event is always `state`. */
export type PortEvent =
  | { type: 'state'; state: PortState }
  | { type: 'up' }
  | { type: 'down' }
  | { type: 'carrier'; carrier: boolean }
  | { type: 'mtu'; mtu: number; previous: number }
  | { type: 'rename'; name: string; previous: string }
  | { type: 'address'; macAddress: string; previous: string | undefined }
  /** The device moved to another network namespace; a `state` event follows. */
  | { type: 'namespace' }
  /** Events were lost; a `state` event follows. */
  | { type: 'resync' }
  /** The kernel dropped frames, since the port's reader is too slow; of captures. */
  | { type: 'dropped'; frames: number }
  /** The kernel refuses the filter, for the reason given: it is run here, on every frame; of captures. */
  | { type: 'filter-fallback'; error: Error }
  /** The kernel knows this offload and refuses such super-frames: from now on they are cut. */
  | { type: 'offload-disabled'; offload: Offload }
  | { type: 'removed' }

/** Why a port ended. */
export type CloseReason =
  /** `close()` was called. */
  | { type: 'closed' }
  /** Somebody deleted the device, or the other end of a pair was closed. */
  | { type: 'removed' }
  /** The descriptor was given away. */
  | { type: 'detached' }
  | { type: 'error'; error: Error }

/**
 * Anything that carries frames: a TAP, a TUN queue, one end of an in-memory pair. Everything that moves
 * frames implements this interface and everything that consumes frames takes it; single frames, packets
 * and streams are free functions over it ({@link frames}, {@link packets}, {@link toDuplex}).
 *
 * A port is pulled: nobody reads, nothing is polled, and the queue beneath it drops as a network card
 * would. It keeps the process alive only while somebody waits on it.
 */
export interface FramePort<L extends LinkType = LinkType> extends AsyncDisposable {
  readonly linkType: L
  /** Longest frame in bytes that the port takes or delivers. */
  readonly maxFrameLength: number
  /** What the other side may leave undone: frames with it are taken as they are, and cut or completed elsewhere. */
  readonly accepts: ReadonlySet<Offload>
  /** Who reads: one at a time. `forward`: native code, for `forward()` or a file. */
  readonly owner: 'none' | 'reader' | 'stream' | 'forward'
  /**
   * A batch that is there already, or `undefined`; never waits. The caller releases it.
   * @throws NetloomError `ERR_PORT_LOCKED` while another reader owns the port, `ERR_PORT_CLOSED` after its end
   */
  tryReceive(options?: ReceiveOptions): FrameBatch<L> | undefined
  /**
   * Batches as they come, until the port ends. A batch lives until the next step unless `keep()` is called.
   * The iterator owns the port (`ERR_PORT_LOCKED` for a second one) until it ends or `return()` is called.
   * An abort rejects with `AbortError`.
   */
  batches(options?: ReceiveOptions & WaitOptions): AsyncIterableIterator<FrameBatch<L>>
  /**
   * Sends what can be sent now, starting at frame `from`; never waits. A frame that the device refuses is
   * counted in `dropped` and the next one is tried.
   */
  trySend(batch: FrameBatch<L> | Uint8Array, from?: number): SendResult
  /** Sends all of it, waiting while the device is full. An abort rejects; nothing is sent after it. */
  send(batch: FrameBatch<L> | Uint8Array, options?: WaitOptions): Promise<SendResult>
  counters(): PortCounters
  events(options?: WaitOptions): AsyncIterableIterator<PortEvent>
  /** Resolves, never rejects, when the port has ended. */
  readonly closed: Promise<CloseReason>
  /** Ends the port at once, pending reads included. Idempotent. */
  close(): Promise<void>
  ref(): this
  unref(): this
}
