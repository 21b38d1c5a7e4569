import { formatIpv4, formatIpv6, formatMacAddress } from '../address/index.js'
import { readUint16, readUint32 } from '../bytes/index.js'
import { invalidArgumentType, outOfRange } from '../errors/index.js'
import { etherTypes } from './ether-types.js'
import type { FrameBatch } from './frame-batch.js'
import { headers } from './header-kinds.js'
import { HeaderWalk } from './header-walk.js'
import { ipProtocols } from './ip-protocols.js'
import type { LinkType } from './link-type.js'
import { noBytes } from './record.js'

const noNumbers: Uint32Array = new Uint32Array()

/**
 * Reads the outermost headers of one frame after the other, up to the ports, and allocates nothing: for counting,
 * filtering and sorting at full rate. Numbers that a frame does not have are -1.
 *
 *     const cursor = new FrameCursor()
 *     for await (const batch of port.batches()) {
 *       cursor.open(batch)
 *       while (cursor.next()) if (cursor.destinationPort === 53) queries++
 *     }
 *
 * A cursor shows a batch for as long as the batch lives. Of a packet in a tunnel it shows the tunnel: `set` it to
 * what is inside to go on.
 */
export class FrameCursor {
  /** Where the frame is; offsets are in here. */
  bytes: Uint8Array = noBytes
  /** Of the frame: its first byte, and the first after it. */
  start = 0
  end = 0
  /** Which frame of the batch; -1 before the first. */
  index = -1
  /** Of the packet, after VLAN tags; up to 1500 is the length of an 802.3 frame. */
  etherType = -1
  /** Of the outermost tag, be it in the frame or beside it. */
  vlanId = -1
  /** 4, 6, or -1. */
  ipVersion = -1
  /** Of IP, after extension headers of IPv6. */
  protocol = -1
  /** Where the IP header is. */
  ipOffset = -1
  /** In bytes; more than 0 in later fragments, which have no ports. */
  fragmentOffset = -1
  /** Of UDP and TCP. */
  sourcePort = -1
  destinationPort = -1
  /** Where the header after that of IP is, if it is a known one and all there. */
  transportOffset = -1
  /** After the last header read; up to `payloadEnd`, padding left out. */
  payloadOffset = 0
  payloadEnd = 0
  #count = 0
  #linkType: LinkType = 'ethernet'
  #plain = false
  #offsets = noNumbers
  #lengths = noNumbers
  #vlans: Uint32Array | undefined
  readonly #walk = new HeaderWalk()

  /** Stands before the first frame of a batch. */
  open(batch: FrameBatch): this {
    this.bytes = batch.slab
    this.index = -1
    this.#count = batch.count
    this.#linkType = batch.linkType
    this.#plain = batch.linkType === 'ethernet'
    this.#offsets = batch.offsets
    this.#lengths = batch.lengths
    this.#vlans = batch.vlans
    return this
  }

  /** Moves to the next frame of the batch; false after the last. */
  next(): boolean {
    const index = this.index + 1
    if (index >= this.#count) return false
    this.#show(index)
    return true
  }

  /** Moves to frame `i` of the batch. @throws RangeError `ERR_OUT_OF_RANGE` */
  move(i: number): this {
    if (!Number.isInteger(i) || i < 0 || i >= this.#count)
      throw outOfRange('i', `>= 0 and < ${this.#count}`, i)
    this.#show(i)
    return this
  }

  /** Shows a frame that is in no batch. @throws TypeError for an unknown link type */
  set(frame: Uint8Array, linkType: LinkType = 'ethernet'): this {
    if (!(frame instanceof Uint8Array)) throw invalidArgumentType('frame', 'an instance of Uint8Array', frame)
    this.bytes = frame
    this.index = -1
    this.#count = 0
    this.#vlans = undefined
    this.#linkType = linkType
    this.#plain = linkType === 'ethernet'
    this.#read(0, frame.length)
    return this
  }

  get isIp(): boolean {
    return this.ipOffset >= 0
  }

  /** The address of IPv4 as a number; -1 for other packets. */
  get sourceIpv4(): number {
    return this.ipVersion === 4 ? readUint32(this.bytes, this.ipOffset + 12) : -1
  }

  /** The address of IPv4 as a number; -1 for other packets. */
  get destinationIpv4(): number {
    return this.ipVersion === 4 ? readUint32(this.bytes, this.ipOffset + 16) : -1
  }

  /** Where the 4 or 16 bytes of the address are. */
  get sourceOffset(): number {
    return this.ipVersion === 4 ? this.ipOffset + 12 : this.ipVersion === 6 ? this.ipOffset + 8 : -1
  }

  /** Where the 4 or 16 bytes of the address are. */
  get destinationOffset(): number {
    return this.ipVersion === 4 ? this.ipOffset + 16 : this.ipVersion === 6 ? this.ipOffset + 24 : -1
  }

  /** The address as text; `undefined` for other packets. */
  get source(): string | undefined {
    return this.#address(this.sourceOffset)
  }

  /** The address as text; `undefined` for other packets. */
  get destination(): string | undefined {
    return this.#address(this.destinationOffset)
  }

  /** As text; `undefined` on links without. */
  get sourceMacAddress(): string | undefined {
    return this.#isEthernet ? formatMacAddress(this.bytes, this.start + 6) : undefined
  }

  /** As text; `undefined` on links without. */
  get destinationMacAddress(): string | undefined {
    return this.#isEthernet ? formatMacAddress(this.bytes, this.start) : undefined
  }

  /**
   * A number of 32 bits that is the same for all packets of a flow: addresses, protocol and ports, in one direction.
   * Different flows may have the same. 0 for what is not IP.
   */
  get flowHash(): number {
    const { bytes, ipVersion, ipOffset } = this
    if (ipVersion < 0) return 0
    let hash = 0x811c9dc5 ^ this.protocol
    const end = ipVersion === 4 ? ipOffset + 20 : ipOffset + 40
    for (let at = ipVersion === 4 ? ipOffset + 12 : ipOffset + 8; at < end; at += 4)
      hash = mix(hash, readUint32(bytes, at))
    return mix(hash, this.sourcePort >= 0 ? (this.sourcePort << 16) | this.destinationPort : 0) >>> 0
  }

  /**
   * The flow as a key for a `Map`: addresses, protocol and ports, a character for each byte. A string, so this one
   * allocates. Empty for what is not IP.
   */
  flowKey(): string {
    const { bytes, ipVersion, sourceOffset, sourcePort: from, destinationPort: to } = this
    if (ipVersion < 0) return ''
    const ports = from < 0 ? '' : String.fromCharCode(from >> 8, from & 0xff, to >> 8, to & 0xff)
    let key = String.fromCharCode(this.protocol)
    for (let at = sourceOffset; at < sourceOffset + (ipVersion === 4 ? 8 : 32); at++)
      key += String.fromCharCode(bytes[at]!)
    return key + ports
  }

  get #isEthernet(): boolean {
    return this.#plain && this.end - this.start >= 14
  }

  #address(offset: number): string | undefined {
    if (offset < 0) return undefined
    return this.ipVersion === 4 ? formatIpv4(this.bytes, offset) : formatIpv6(this.bytes, offset)
  }

  #show(index: number): void {
    this.index = index
    const start = this.#offsets[index]!
    const end = start + this.#lengths[index]!
    // The memory of a batch that was released has length 0.
    if (end > this.bytes.length) this.#read(0, 0)
    else this.#read(start, end)
    if (this.#vlans === undefined) return
    const vlan = this.#vlans[index]!
    if (vlan !== 0) this.vlanId = vlan & 0xfff
  }

  #read(start: number, end: number): void {
    this.start = start
    this.end = end
    this.vlanId = -1
    if (this.#plain && end - start >= 42 && this.#readPlain(this.bytes, start, end)) return
    this.#readAny(start, end)
  }

  /**
   * Whole packets of UDP and TCP right behind Ethernet, with nothing unusual about them: most of all there are. Comes
   * to what the walk comes to, in a third of the time; leaves to it what is any different.
   */
  #readPlain(bytes: Uint8Array, start: number, end: number): boolean {
    const type = (bytes[start + 12]! << 8) | bytes[start + 13]!
    const ip = start + 14
    let transport: number
    let last: number
    let protocol: number
    if (type === etherTypes.ipv4) {
      transport = ip + 20
      if (bytes[ip] !== 0x45 || (bytes[ip + 6]! & 0x3f) !== 0 || bytes[ip + 7] !== 0) return false
      last = ip + ((bytes[ip + 2]! << 8) | bytes[ip + 3]!)
      protocol = bytes[ip + 9]!
      this.ipVersion = 4
    } else if (type === etherTypes.ipv6) {
      transport = ip + 40
      if (transport + 8 > end || bytes[ip]! >> 4 !== 6) return false
      last = transport + ((bytes[ip + 4]! << 8) | bytes[ip + 5]!)
      protocol = bytes[ip + 6]!
      this.ipVersion = 6
    } else return false
    if (last > end) return false
    if (protocol === ipProtocols.udp) {
      const length = (bytes[transport + 4]! << 8) | bytes[transport + 5]!
      this.payloadOffset = transport + 8
      this.payloadEnd = transport + length
      if (length < 8 || transport + length > last) return false
    } else if (protocol === ipProtocols.tcp) {
      if (transport + 20 > last) return false
      const length = (bytes[transport + 12]! >> 4) * 4
      this.payloadOffset = transport + length
      this.payloadEnd = last
      if (length < 20 || transport + length > last) return false
    } else return false
    this.etherType = type
    this.protocol = protocol
    this.ipOffset = ip
    this.fragmentOffset = 0
    this.transportOffset = transport
    this.sourcePort = (bytes[transport]! << 8) | bytes[transport + 1]!
    this.destinationPort = (bytes[transport + 2]! << 8) | bytes[transport + 3]!
    return true
  }

  #readAny(start: number, end: number): void {
    const walk = this.#walk
    this.ipVersion = -1
    this.protocol = -1
    this.ipOffset = -1
    this.fragmentOffset = -1
    this.sourcePort = -1
    this.destinationPort = -1
    this.transportOffset = -1
    walk.begin(this.bytes, start, end, this.#linkType)
    while (walk.header < headers.ipv4 && walk.next() && !walk.broken) {
      if (walk.header === headers.vlan && this.vlanId < 0)
        this.vlanId = readUint16(this.bytes, walk.start) & 0xfff
    }
    this.etherType = walk.etherType === 0 ? -1 : walk.etherType
    if (walk.ip >= 0 && !walk.broken) this.#readIp(walk)
    this.payloadOffset = walk.payload
    this.payloadEnd = walk.end
  }

  #readIp(walk: HeaderWalk): void {
    const { bytes } = this
    this.ipVersion = walk.header === headers.ipv4 ? 4 : 6
    this.ipOffset = walk.ip
    this.protocol = walk.protocol
    this.fragmentOffset = walk.fragmentOffset
    if (walk.following < headers.icmp) return
    walk.next()
    if (walk.broken) return
    this.transportOffset = walk.start
    if (walk.header === headers.tcp || walk.header === headers.udp) {
      this.sourcePort = readUint16(bytes, walk.start)
      this.destinationPort = readUint16(bytes, walk.start + 2)
    }
  }
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}
