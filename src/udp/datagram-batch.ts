import { NetloomError, outOfRange } from '../errors/index.js'
import { NativeBatch, type Slab, share } from '../port/index.js'
import type { Endpoint } from './endpoint.js'

/** @internal Who knows the endpoints behind the numbers in batches. */
export interface EndpointSource {
  endpoint(number: number): Endpoint | undefined
}

/**
 * Datagrams and where they came from, as columns. What a datagram says is frame `i`; its memory is as that of any
 * batch.
 */
export class DatagramBatch extends NativeBatch<'user0'> {
  readonly #source: EndpointSource
  readonly #informed: boolean

  /** @internal */
  constructor(
    source: EndpointSource,
    informed: boolean,
    memory: Slab,
    first: number,
    count: number,
    owned: boolean,
  ) {
    super('user0', memory, first, count, 0, owned)
    this.#source = source
    this.#informed = informed
  }

  /** Who sent each datagram, as a number that the socket has for its endpoint: equal ones are equal. */
  get endpoints(): Uint32Array {
    return this.#column(this.memory.originalLengths)
  }

  /**
   * Who sent datagram `i`. The same object each time.
   * @throws RangeError `ERR_OUT_OF_RANGE`
   * @throws NetloomError `ERR_INVALID_STATE` from a batch that was kept so long that others took the sender's number
   */
  endpoint(i: number): Endpoint {
    const endpoint = this.#source.endpoint(this.#entry(this.memory.originalLengths, i))
    if (!endpoint) throw forgottenSender()
    return endpoint
  }

  /** The address that datagram `i` was sent to; of sockets with `information`. Its port is 0. */
  local(i: number): Endpoint | undefined {
    const number = this.#entry(this.memory.flags, i)
    return this.#informed ? this.#source.endpoint(number) : undefined
  }

  /** Indices of the links that they came in by; of sockets with `information`. */
  override get interfaces(): Uint32Array | undefined {
    return this.#informed ? this.#column(this.memory.interfaces) : undefined
  }

  /** Types of service, traffic classes: DSCP in the upper six bits, ECN in the lower two; with `information`. */
  get typesOfService(): Uint32Array | undefined {
    return this.#informed ? this.#column(this.memory.vlans) : undefined
  }

  /** @internal Whose numbers its endpoints are. */
  get source(): EndpointSource {
    return this.#source
  }

  override [share](): DatagramBatch {
    this.check()
    const { memory, first, count, owned } = this
    return new DatagramBatch(this.#source, this.#informed, memory, first, count, owned)
  }

  // Captures keep other things in these columns; see native/slab.h.
  #entry(places: Uint32Array, i: number): number {
    this.check()
    if (!Number.isInteger(i) || i < 0 || i >= this.count) throw outOfRange('i', `>= 0 and < ${this.count}`, i)
    return places[this.first + i]!
  }

  #column(places: Uint32Array): Uint32Array {
    this.check()
    return places.subarray(this.first, this.first + this.count)
  }
}

/** @internal */
export function forgottenSender(): NetloomError {
  return new NetloomError(
    'ERR_INVALID_STATE',
    'the sender is known no more: ask before others by the thousand came',
  )
}
