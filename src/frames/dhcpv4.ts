/**
 * DHCP for IPv4: RFC 2131 section 2. It travels in UDP between the ports 68 (client) and 67 (server).
 *
 *   0   1  operation: 1 request, 2 reply
 *   1   1  hardware type: 1 is Ethernet
 *   2   1  length of the hardware address
 *   3   1  hops
 *   4   4  transaction
 *   8   2  seconds
 *  10   2  broadcast (1 bit), reserved (15)
 *  12   4  client's address
 *  16   4  your address
 *  20   4  next server's address
 *  24   4  relay agent's address
 *  28  16  client's hardware address
 *  44  64  server's name
 * 108 128  boot file
 * 236   4  0x63825363
 * 240      options: see dhcpv4-options.ts
 */
import { formatIpv4, parseIpv4 } from '../address/index.js'
import { concatBytes, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import { type Dhcpv4Option, decodeDhcpv4Options, encodeDhcpv4Options } from './dhcpv4-options.js'
import { malformed } from './frame-error.js'
import { FrameView } from './frame-view.js'
import { formatLinkAddress, parseLinkAddress } from './link-address.js'
import { type Input, uint } from './record.js'

export const dhcpv4Length = 240
const cookie = 0x63825363

export const dhcpv4Ports = { server: 67, client: 68 } as const

/** Whether 240 bytes are the beginning of a message. */
export function isDhcpv4(bytes: Uint8Array, start: number): boolean {
  return readUint32(bytes, start + 236) === cookie && bytes[start + 2]! <= 16
}

export class Dhcpv4View extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('dhcpv4', dhcpv4Length, bytes, start, end)
    if (!isDhcpv4(bytes, this.start))
      throw malformed('dhcpv4', 'there is no magic cookie, or the hardware address is longer than its field')
  }

  /** 1 request, 2 reply. */
  get operation(): number {
    return this.bytes[this.start]!
  }

  get hardwareType(): number {
    return this.bytes[this.start + 1]!
  }

  get hardwareAddressLength(): number {
    return this.bytes[this.start + 2]!
  }

  get hops(): number {
    return this.bytes[this.start + 3]!
  }

  get transactionId(): number {
    return readUint32(this.bytes, this.start + 4)
  }

  get seconds(): number {
    return readUint16(this.bytes, this.start + 8)
  }

  /** The client cannot take a unicast answer. */
  get broadcast(): boolean {
    return (this.bytes[this.start + 10]! & 0x80) !== 0
  }

  get clientAddress(): string {
    return formatIpv4(this.bytes, this.start + 12)
  }

  get yourAddress(): string {
    return formatIpv4(this.bytes, this.start + 16)
  }

  get serverAddress(): string {
    return formatIpv4(this.bytes, this.start + 20)
  }

  get relayAddress(): string {
    return formatIpv4(this.bytes, this.start + 24)
  }

  get hardwareAddress(): string {
    return formatLinkAddress(this.bytes, this.start + 28, this.hardwareAddressLength)
  }

  get serverName(): string {
    return readName(this.bytes, this.start + 44, 64)
  }

  get bootFile(): string {
    return readName(this.bytes, this.start + 108, 128)
  }

  /** Where the options begin, which run to the end. */
  get payloadOffset(): number {
    return this.start + dhcpv4Length
  }
}

export interface Dhcpv4Record {
  /** 1 request, 2 reply. */
  operation: number
  /** 1 is Ethernet. */
  hardwareType: number
  hops: number
  transactionId: number
  /** Since the client began. */
  seconds: number
  /** The client cannot take a unicast answer. */
  broadcast: boolean
  /** What the client has; 0.0.0.0 if none, as are the next three. */
  clientAddress: string
  /** What the client gets. */
  yourAddress: string
  /** Of the server to boot from. */
  serverAddress: string
  relayAddress: string
  /** Up to 16 bytes, `02:00:00:00:00:01`. */
  hardwareAddress: string
  /** Up to 64 characters of Latin-1. */
  serverName: string
  /** Up to 128 characters of Latin-1. */
  bootFile: string
  options: Dhcpv4Option[]
}

/** Addresses are 0.0.0.0, and the rest Ethernet, zero or empty, unless given. */
export type Dhcpv4Input = Input<Dhcpv4Record, 'operation' | 'transactionId' | 'hardwareAddress'>

/**
 * Decodes a whole message. Reserved bits, and what follows the end of a name or of the options, are not kept.
 * @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED`
 */
export function decodeDhcpv4(bytes: Uint8Array): Dhcpv4Record {
  return dhcpv4Record(new Dhcpv4View(bytes))
}

export function dhcpv4Record(view: Dhcpv4View): Dhcpv4Record {
  return {
    operation: view.operation,
    hardwareType: view.hardwareType,
    hops: view.hops,
    transactionId: view.transactionId,
    seconds: view.seconds,
    broadcast: view.broadcast,
    clientAddress: view.clientAddress,
    yourAddress: view.yourAddress,
    serverAddress: view.serverAddress,
    relayAddress: view.relayAddress,
    hardwareAddress: view.hardwareAddress,
    serverName: view.serverName,
    bootFile: view.bootFile,
    options: decodeDhcpv4Options(view.bytes, view.payloadOffset, view.end),
  }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeDhcpv4(record: Dhcpv4Input): Uint8Array {
  const bytes = new Uint8Array(dhcpv4Length)
  const hardwareAddress = parseLinkAddress('hardwareAddress', record.hardwareAddress, 16)
  bytes[0] = uint('operation', record.operation, 8)
  bytes[1] = uint('hardwareType', record.hardwareType, 8, 1)
  bytes[2] = hardwareAddress.length
  bytes[3] = uint('hops', record.hops, 8, 0)
  writeUint32(bytes, 4, uint('transactionId', record.transactionId, 32))
  writeUint16(bytes, 8, uint('seconds', record.seconds, 16, 0))
  bytes[10] = record.broadcast ? 0x80 : 0
  const addresses = ['clientAddress', 'yourAddress', 'serverAddress', 'relayAddress'] as const
  addresses.forEach((name, i) => {
    bytes.set(parseIpv4(record[name] ?? '0.0.0.0'), 12 + 4 * i)
  })
  bytes.set(hardwareAddress, 28)
  writeName(bytes, 44, 64, 'serverName', record.serverName)
  writeName(bytes, 108, 128, 'bootFile', record.bootFile)
  writeUint32(bytes, 236, cookie)
  return concatBytes(bytes, encodeDhcpv4Options(record.options ?? []))
}

function readName(bytes: Uint8Array, start: number, length: number): string {
  const end = bytes.subarray(start, start + length).indexOf(0)
  return String.fromCharCode(...bytes.subarray(start, start + (end < 0 ? length : end)))
}

function writeName(bytes: Uint8Array, at: number, limit: number, name: string, text = ''): void {
  if (typeof text !== 'string') throw invalidArgumentType(name, 'a string', text)
  const codes = Uint16Array.from(text, character => character.charCodeAt(0))
  if (text.length > limit || codes.some(code => code === 0 || code > 0xff) || codes.length !== text.length)
    throw invalidArgumentValue(name, text, `must be up to ${limit} characters of Latin-1`)
  bytes.set(codes, at)
}
