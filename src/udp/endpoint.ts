import { formatIpAddress, type IpFamily, parseIpAddress } from '../address/index.js'
import { requireInteger, requireOptions } from '../errors/index.js'

/** Bytes in which native code tells of one; see native/udp_binding.cc. */
const endpointBytes = 24
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

export interface EndpointOptions {
  /** IPv4 or IPv6. */
  address: string
  port: number
  /** Index of the link, of link-local IPv6 addresses. */
  scope?: number | undefined
}

/** One end of UDP: an address and a port. The same for any socket; those of one socket's datagrams are made once. */
export class Endpoint {
  readonly family: IpFamily
  /** Canonical. An IPv4 address also where it was given as mapped to IPv6, and where the socket is of IPv6. */
  readonly address: string
  readonly port: number
  /** Index of the link, of link-local IPv6 addresses; else 0. */
  readonly scope: number
  readonly #bytes: Uint8Array

  /** @throws TypeError, RangeError */
  constructor(options: EndpointOptions) {
    const { address, port, scope } = requireOptions('endpoint', options, ['address', 'port', 'scope'])
    let { family, bytes } = parseIpAddress(address)
    if (family === 6 && isMapped(bytes)) {
      family = 4
      bytes = bytes.subarray(12)
    }
    this.family = family
    this.address = formatIpAddress(bytes)
    this.port = requireInteger('endpoint.port', port, 0, 0xffff)
    this.scope = requireInteger('endpoint.scope', scope ?? 0, 0, family === 4 ? 0 : 0xffff_ffff)
    this.#bytes = new Uint8Array(endpointBytes)
    this.#bytes.set(bytes)
    const view = new DataView(this.#bytes.buffer)
    view.setUint32(16, this.scope, littleEndian)
    view.setUint16(20, this.port, littleEndian)
    view.setUint8(22, this.family)
  }

  /** `10.0.0.1:53`, `[fe80::1%3]:53` */
  toString(): string {
    if (this.family === 4) return `${this.address}:${this.port}`
    return `[${this.address}${this.scope === 0 ? '' : `%${this.scope}`}]:${this.port}`
  }

  /** @internal */
  static bytesOf(endpoint: Endpoint | undefined): Uint8Array {
    return endpoint === undefined ? new Uint8Array(endpointBytes) : endpoint.#bytes
  }

  /** @internal */
  static from(bytes: Uint8Array): Endpoint | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const family = view.getUint8(22)
    if (family === 0) return undefined
    return new Endpoint({
      address: formatIpAddress(bytes.slice(0, family === 4 ? 4 : 16)),
      scope: view.getUint32(16, littleEndian),
      port: view.getUint16(20, littleEndian),
    })
  }

  /** @internal What may be given in its place. */
  static of(endpoint: Endpoint | EndpointOptions): Endpoint {
    return endpoint instanceof Endpoint ? endpoint : new Endpoint(endpoint)
  }
}

/** `::ffff:0:0/96`: an IPv4 address as a socket of IPv6 has it. RFC 4291 section 2.5.5.2. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every(byte => byte === 0)
}
