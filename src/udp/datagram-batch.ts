import { NetloomError } from '../errors/index.js'
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
    return this.#column(0)
  }

  /**
   * Who sent datagram `i`. The same object each time.
   * @throws NetloomError `ERR_INVALID_STATE` from a batch that was kept so long that others took the sender's number
   */
  endpoint(i: number): Endpoint {
    const endpoint = this.#source.endpoint(this.endpoints[i]!)
    if (endpoint) return endpoint
    throw new NetloomError(
      'ERR_INVALID_STATE',
      'the sender is known no more: ask before others by the thousand came',
    )
  }

  /** The address that datagram `i` was sent to; of sockets with `information`. Its port is 0. */
  local(i: number): Endpoint | undefined {
    return this.#informed ? this.#source.endpoint(this.#column(1)[i]!) : undefined
  }

  /** Indices of the links that they came in by; of sockets with `information`. */
  override get interfaces(): Uint32Array | undefined {
    return this.#informed ? this.#column(2) : undefined
  }

  /** Types of service, traffic classes: DSCP in the upper six bits, ECN in the lower two; with `information`. */
  get typesOfService(): Uint8Array | undefined {
    if (!this.#informed) return undefined
    this.check()
    const { headers, offsets } = this.memory
    const start = 12 * offsets.length + this.first
    return headers.subarray(start, start + this.count)
  }

  override [share](): DatagramBatch {
    this.check()
    const { memory, first, count, owned } = this
    return new DatagramBatch(this.#source, this.#informed, memory, first, count, owned)
  }

  // The slab's memory for headers, a column of all its places after the other; see native/udp_binding.cc.
  #column(index: number): Uint32Array {
    this.check()
    const { headers, offsets } = this.memory
    const places = offsets.length
    const start = headers.byteOffset + 4 * (index * places + this.first)
    return new Uint32Array(headers.buffer, start, this.count)
  }
}
