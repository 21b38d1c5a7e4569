import { formatIpv4Prefix, type IpFamily } from '../../address/index.js'
import { type AttributeCursor, type Payload, readIpAddress, readIpPrefix, wordOf } from '../core/index.js'
import { AF, RTA, RTN } from './constants.js'
import { type Route, type RouteType, readRoute, routeHeaderLength } from './route.js'

/**
 * A route as the kernel sent it, of which only what is looked at is decoded. It is lent: after the visit it is another
 * route. {@link record} gives one to keep.
 */
export class RouteView {
  #payload: Payload

  /** @internal */
  constructor(payload: Payload) {
    this.#payload = payload
  }

  /** @internal */
  show(payload: Payload): this {
    this.#payload = payload
    return this
  }

  get family(): IpFamily {
    return this.#payload.u8(0) === AF.INET ? 4 : 6
  }

  get prefixLength(): number {
    return this.#payload.u8(1)
  }

  get protocol(): number {
    return this.#payload.u8(5)
  }

  get type(): RouteType {
    return wordOf(RTN, this.#payload.u8(7))
  }

  /** With its length, as in {@link Route}. */
  get destination(): string {
    const found = this.#find(RTA.DST)
    if (found) return readIpPrefix(found, this.prefixLength)
    return this.family === 4 ? formatIpv4Prefix(zero, 0, this.prefixLength) : `::/${this.prefixLength}`
  }

  get table(): number {
    return this.#find(RTA.TABLE)?.u32() ?? this.#payload.u8(4)
  }

  get gateway(): string | undefined {
    const found = this.#find(RTA.GATEWAY)
    return found && readIpAddress(found)
  }

  get link(): number | undefined {
    return this.#find(RTA.OIF)?.u32()
  }

  get metric(): number | undefined {
    return this.#find(RTA.PRIORITY)?.u32()
  }

  /** All of it, to keep. */
  record(): Route {
    return readRoute(this.#payload)
  }

  #find(type: number): AttributeCursor | undefined {
    const attributes = this.#payload.attributes(routeHeaderLength)
    while (attributes.next()) if (attributes.type === type) return attributes
    return undefined
  }
}

const zero = new Uint8Array(4)
