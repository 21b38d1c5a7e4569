import { requireInteger, requireOptions } from '../errors/index.js'
import type { FrameBatch, LinkType } from '../frames/index.js'
import { FilteredBatches } from './filtered-batches.js'
import { PortObserver } from './observer.js'
import { type BatchIterator, type ReaderKind, readAs } from './ownership.js'
import type { FramePort, ReceiveOptions, SendResult, WaitOptions } from './port.js'
import { requirePort } from './require-port.js'
import { checkSendable } from './sendable.js'
import { WrappedPort } from './wrapped-port.js'

export interface TeeOptions {
  /** Packets that wait for the observer, 1 to 1048576; more are dropped and counted. Default 1024. */
  queuePackets?: number
}

/**
 * The port, and somebody who watches it: use the returned port in place of `port`, and read the observer at
 * leisure. A slow observer loses packets of its own, which it counts, and never slows the port down.
 *
 * Received frames are seen when they are read. Sent frames are seen once the port has dealt with them, those
 * that the device refused included.
 */
export function tee<L extends LinkType>(
  port: FramePort<L>,
  options?: TeeOptions,
): [FramePort<L>, PortObserver<L>] {
  requirePort(port)
  const { queuePackets = 1024 } = requireOptions('options', options, ['queuePackets'])
  const limit = requireInteger('options.queuePackets', queuePackets, 1, 1 << 20)
  const observer = new PortObserver(port.linkType, limit)
  port.closed.then(() => observer.end())
  return [new TeePort(port, observer), observer]
}

class TeePort<L extends LinkType> extends WrappedPort<L> {
  readonly #observer: PortObserver<L>

  constructor(inner: FramePort<L>, observer: PortObserver<L>) {
    super(inner)
    this.#observer = observer
  }

  override tryReceive(options?: ReceiveOptions): FrameBatch<L> | undefined {
    const batch = super.tryReceive(options)
    if (batch) this.#received(batch)
    return batch
  }

  override [readAs](kind: ReaderKind, options?: ReceiveOptions & WaitOptions): BatchIterator<L> {
    return new FilteredBatches(super[readAs](kind, options), batch => this.#received(batch))
  }

  override trySend(batch: FrameBatch<L> | Uint8Array, from = 0): SendResult {
    const copies = this.#observer.snapshot(checkSendable(batch, this.linkType, from), from)
    const result = super.trySend(batch, from)
    this.#observer.record(copies, result.next - from, 'sent')
    return result
  }

  override async send(batch: FrameBatch<L> | Uint8Array, options?: WaitOptions): Promise<SendResult> {
    // Copied first: while the port waits, the batch may be released or change.
    const copies = this.#observer.snapshot(checkSendable(batch, this.linkType))
    const result = await super.send(batch, options)
    this.#observer.record(copies, result.next, 'sent')
    return result
  }

  #received(batch: FrameBatch<L>): FrameBatch<L> {
    this.#observer.record(this.#observer.snapshot(batch), batch.count, 'received')
    return batch
  }
}
