import type { LinkType } from '../frames/index.js'
import { EventQueue } from '../lifecycle/index.js'
import type { Packet } from './packets.js'
import type { Sendable } from './sendable.js'

/** A copy of a frame, and which way it went through the port. */
export interface ObservedPacket<L extends LinkType = LinkType> extends Packet<L> {
  readonly direction: 'received' | 'sent'
}

/**
 * What went through a port, as copies in a bounded queue. Ends with the port; after `return()` nothing is
 * copied any more.
 */
export class PortObserver<L extends LinkType = LinkType> implements AsyncIterableIterator<ObservedPacket<L>> {
  readonly #linkType: L
  readonly #limit: number
  readonly #queue: EventQueue<ObservedPacket<L>>
  #dropped = 0

  /** @internal */
  constructor(linkType: L, limit: number) {
    this.#linkType = linkType
    this.#limit = limit
    this.#queue = new EventQueue({
      limit,
      onOverflow: () => {
        throw new Error('record() keeps below the limit: the newest packets give way, not the oldest')
      },
    })
  }

  /** Packets that went unobserved because the queue was full. */
  get dropped(): bigint {
    return BigInt(this.#dropped)
  }

  /** @internal Copies of the frames from `from` on, as many as there is room for. */
  snapshot(frames: Sendable, from = 0): Uint8Array[] {
    const copies: Uint8Array[] = []
    if (this.#queue.ended) return copies
    const end = Math.min(frames.count, from + this.#limit - this.#queue.length)
    for (let i = from; i < end; i++) {
      const offset = frames.offsets[i]!
      copies.push(frames.slab.slice(offset, offset + frames.lengths[i]!))
    }
    return copies
  }

  /** @internal Queues the first `count` copies; those that were not even made are dropped. */
  record(copies: readonly Uint8Array[], count: number, direction: ObservedPacket['direction']): void {
    if (this.#queue.ended) return
    for (let i = 0; i < count; i++) {
      const data = copies[i]
      if (data && this.#queue.length < this.#limit) {
        this.#queue.push({ data, linkType: this.#linkType, direction })
      } else {
        this.#dropped++
      }
    }
  }

  /** @internal */
  end(): void {
    this.#queue.end()
  }

  next(): Promise<IteratorResult<ObservedPacket<L>>> {
    return this.#queue.next()
  }

  return(): Promise<IteratorResult<ObservedPacket<L>>> {
    return this.#queue.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
