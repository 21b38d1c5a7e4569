import type { FrameBatch, LinkType } from '../frames/index.js'
import { type BatchIterator, batchesAs, type ReaderKind, readAs } from './ownership.js'
import type {
  CloseReason,
  FramePort,
  Offload,
  PortCounters,
  PortEvent,
  ReceiveOptions,
  SendResult,
  WaitOptions,
} from './port.js'

/** A port that is another port, but for what a subclass changes. Closing it closes the other. */
export class WrappedPort<L extends LinkType> implements FramePort<L> {
  protected readonly inner: FramePort<L>

  constructor(inner: FramePort<L>) {
    this.inner = inner
  }

  get linkType(): L {
    return this.inner.linkType
  }

  get maxFrameLength(): number {
    return this.inner.maxFrameLength
  }

  get accepts(): ReadonlySet<Offload> {
    return this.inner.accepts
  }

  get owner(): FramePort['owner'] {
    return this.inner.owner
  }

  get closed(): Promise<CloseReason> {
    return this.inner.closed
  }

  tryReceive(options?: ReceiveOptions): FrameBatch<L> | undefined {
    return this.inner.tryReceive(options)
  }

  batches(options?: ReceiveOptions & WaitOptions): BatchIterator<L> {
    return this[readAs]('reader', options)
  }

  /** See {@link readAs}. */
  [readAs](kind: ReaderKind, options?: ReceiveOptions & WaitOptions): BatchIterator<L> {
    return batchesAs(this.inner, kind, options)
  }

  trySend(batch: FrameBatch<L> | Uint8Array, from?: number): SendResult {
    return this.inner.trySend(batch, from)
  }

  send(batch: FrameBatch<L> | Uint8Array, options?: WaitOptions): Promise<SendResult> {
    return this.inner.send(batch, options)
  }

  counters(): PortCounters {
    return this.inner.counters()
  }

  events(options?: WaitOptions): AsyncIterableIterator<PortEvent> {
    return this.inner.events(options)
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  ref(): this {
    this.inner.ref()
    return this
  }

  unref(): this {
    this.inner.unref()
    return this
  }
}
