import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../address/index.js'
import { readUint16, writeUint16 } from '../bytes/index.js'
import { invalidArgumentType, NetloomError, requireInteger, requireOptions } from '../errors/index.js'
import { updateChecksum } from './checksum.js'
import { frameFlags } from './frame-batch.js'
import { headers } from './header-kinds.js'
import { HeaderWalk } from './header-walk.js'
import type { LinkType } from './link-type.js'
import { noBytes } from './record.js'
import type { VerifyOptions } from './verify.js'

/**
 * Changes a frame in place, as routers and address translators do: addresses, ports, time to live and DSCP of the
 * outermost packet. Its checksums are brought along without being computed anew (RFC 1624), so a wrong one stays
 * wrong; one of UDP that is absent stays so.
 *
 *     const editor = new FrameEditor()
 *     editor.open(packet, 'ip')
 *     editor.source = '203.0.113.1'
 *     editor.sourcePort = 40000
 *
 * What an ICMP error quotes is not changed. To read and set what the packet does not have throws `ERR_INVALID_STATE`.
 */
export class FrameEditor {
  readonly #walk = new HeaderWalk()
  #bytes: Uint8Array = noBytes
  #ip = -1
  #version = 4
  /** Of UDP, TCP and ICMPv6, if it is all there; else -1. */
  #transport = -1
  #header: number = headers.none
  #partial = false
  #routed = false

  /**
   * With the flag `checksumNotReady` the checksum of the transport protocol is taken to be the sum of its
   * pseudo-header, which a device completes. @throws TypeError
   */
  open(frame: Uint8Array, linkType: LinkType = 'ethernet', options?: VerifyOptions): this {
    const { flags } = requireOptions('options', options, ['flags'])
    if (!(frame instanceof Uint8Array)) throw invalidArgumentType('frame', 'an instance of Uint8Array', frame)
    const walk = this.#walk
    walk.begin(frame, 0, frame.length, linkType)
    this.#partial = (requireInteger('flags', flags ?? 0, 0, 0xffffffff) & frameFlags.checksumNotReady) !== 0
    this.#bytes = frame
    while (walk.header < headers.ipv4 && walk.next());
    this.#ip = walk.broken ? -1 : walk.ip
    this.#version = walk.header === headers.ipv4 ? 4 : 6
    this.#routed = walk.routed
    this.#transport = -1
    if (this.#ip < 0 || walk.following < headers.icmp) return this
    walk.next()
    this.#header = walk.header
    if (!walk.broken) this.#transport = walk.start
    return this
  }

  get source(): string {
    return this.#address(this.#version === 4 ? 12 : 8)
  }

  /** @throws TypeError unless it is an address of the packet's family */
  set source(address: string) {
    this.#setAddress(this.#version === 4 ? 12 : 8, address, true)
  }

  get destination(): string {
    return this.#address(this.#version === 4 ? 16 : 24)
  }

  /** @throws TypeError unless it is an address of the packet's family */
  set destination(address: string) {
    // A routing header names the destination that the checksum covers.
    this.#setAddress(this.#version === 4 ? 16 : 24, address, !this.#routed)
  }

  get sourcePort(): number {
    return readUint16(this.#bytes, this.#ports)
  }

  set sourcePort(port: number) {
    this.#replace(this.#ports, requireInteger('sourcePort', port, 0, 0xffff), false, !this.#partial)
  }

  get destinationPort(): number {
    return readUint16(this.#bytes, this.#ports + 2)
  }

  set destinationPort(port: number) {
    this.#replace(this.#ports + 2, requireInteger('destinationPort', port, 0, 0xffff), false, !this.#partial)
  }

  /** Time to live, or hop limit. */
  get ttl(): number {
    return this.#bytes[this.#packet + (this.#version === 4 ? 8 : 7)]!
  }

  set ttl(ttl: number) {
    const value = requireInteger('ttl', ttl, 0, 255)
    if (this.#version === 6) this.#bytes[this.#packet + 7] = value
    else {
      const at = this.#packet + 8
      this.#replace(at, (value << 8) | this.#bytes[at + 1]!, true, false)
    }
  }

  get dscp(): number {
    const first = readUint16(this.#bytes, this.#packet)
    return this.#version === 4 ? (first >> 2) & 0x3f : (first >> 6) & 0x3f
  }

  set dscp(dscp: number) {
    const value = requireInteger('dscp', dscp, 0, 63)
    const shift = this.#version === 4 ? 2 : 6
    const first = readUint16(this.#bytes, this.#packet)
    this.#replace(this.#packet, (first & ~(0x3f << shift)) | (value << shift), true, false)
  }

  get #packet(): number {
    if (this.#ip < 0) throw new NetloomError('ERR_INVALID_STATE', 'the frame has no IP header')
    return this.#ip
  }

  get #ports(): number {
    if (this.#transport < 0 || (this.#header !== headers.tcp && this.#header !== headers.udp))
      throw new NetloomError('ERR_INVALID_STATE', 'the frame has no ports')
    return this.#transport
  }

  #address(offset: number): string {
    const at = this.#packet + offset
    return this.#version === 4 ? formatIpv4(this.#bytes, at) : formatIpv6(this.#bytes, at)
  }

  #setAddress(offset: number, address: string, covered: boolean): void {
    const at = this.#packet + offset
    const bytes = this.#version === 4 ? parseIpv4(address) : parseIpv6(address)
    for (let i = 0; i < bytes.length; i += 2) this.#replace(at + i, readUint16(bytes, i), true, covered)
  }

  /** Writes a 16-bit word that the checksums of the IP header, and of the transport protocol, may cover. */
  #replace(at: number, to: number, inHeader: boolean, inTransport: boolean): void {
    const from = readUint16(this.#bytes, at)
    writeUint16(this.#bytes, at, to)
    if (inHeader && this.#version === 4) this.#adjust(this.#ip + 10, from, to, false)
    if (inTransport && this.#transport >= 0) this.#adjustTransport(from, to)
  }

  #adjustTransport(from: number, to: number): void {
    const at = this.#transport
    if (this.#header === headers.tcp) this.#adjust(at + 16, from, to, this.#partial)
    else if (this.#header === headers.icmpv6) this.#adjust(at + 2, from, to, false)
    else if (this.#header === headers.udp && readUint16(this.#bytes, at + 6) !== 0) {
      this.#adjust(at + 6, from, to, this.#partial)
      // What comes out as 0 is sent as all ones, which means the same.
      if (readUint16(this.#bytes, at + 6) === 0) writeUint16(this.#bytes, at + 6, 0xffff)
    }
  }

  /** A partial one is a sum that is not complemented yet. */
  #adjust(at: number, from: number, to: number, partial: boolean): void {
    const old = readUint16(this.#bytes, at)
    const mask = partial ? 0xffff : 0
    writeUint16(this.#bytes, at, updateChecksum(old ^ mask, from, to) ^ mask)
  }
}
