/**
 * Messages of WireGuard (https://www.wireguard.com/protocol): what can be seen of them without keys. They travel in
 * UDP. Numbers are little-endian.
 *
 *   0   1  type
 *   1   3  reserved: 0
 *
 *  initiation 1, 148 bytes   response 2, 92 bytes      cookie 3, 64 bytes     data 4
 *   4   4  sender             4   4  sender             4   4  receiver        4   4  receiver
 *   8  32  ephemeral key      8   4  receiver           8  24  nonce           8   8  counter
 *  40  48  static key        12  32  ephemeral key     32  32  cookie         16      packet, encrypted: its
 *  88  28  time stamp        44  16  nothing                                          last 16 bytes authenticate
 * 116  16  MAC 1             60  16  MAC 1
 * 132  16  MAC 2             76  16  MAC 2
 */
import { concatBytes, readUint32, writeUint32 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue, outOfRange } from '../errors/index.js'
import { malformed } from './frame-error.js'
import { FrameView } from './frame-view.js'
import { byteField, uint } from './record.js'

export const wireguardTypes = { initiation: 1, response: 2, cookie: 3, data: 4 } as const

/** The port that its tools take in their examples; none is assigned. */
export const wireguardPort = 51820

const lengths = [0, 148, 92, 64, 16] as const

/** Bytes of the message but for the packet in it; 0 for what is none. */
export function wireguardLength(bytes: Uint8Array, start: number): number {
  const type = bytes[start]!
  if (type > 4 || bytes[start + 1] !== 0 || bytes[start + 2] !== 0 || bytes[start + 3] !== 0) return 0
  return lengths[type]!
}

export class WireguardView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('wireguard', 4, bytes, start, end)
    const length = wireguardLength(bytes, this.start)
    if (length === 0) throw malformed('wireguard', 'it is no message of types 1 to 4')
    this.require('wireguard', this.type === wireguardTypes.data ? length + 16 : length)
  }

  /** One of {@link wireguardTypes}. */
  get type(): number {
    return this.bytes[this.start]!
  }

  /** Index that the sender chose; of types 1 and 2. */
  get sender(): number {
    return this.#uint32(4)
  }

  /** Index that the receiver chose; of types 2 to 4. */
  get receiver(): number {
    return this.#uint32(this.type === wireguardTypes.response ? 8 : 4)
  }

  /** Of type 4. */
  get counter(): bigint {
    return (BigInt(this.#uint32(12)) << 32n) | BigInt(this.#uint32(8))
  }

  /** With type 4, where the encrypted packet begins; of the others, their end. */
  get payloadOffset(): number {
    return this.start + wireguardLength(this.bytes, this.start)
  }

  #uint32(offset: number): number {
    return swap32(readUint32(this.bytes, this.start + offset))
  }
}

export interface WireguardInitiation {
  type: typeof wireguardTypes.initiation
  sender: number
  /** 32 bytes. */
  ephemeral: Uint8Array
  /** 48 bytes, encrypted. */
  static: Uint8Array
  /** 28 bytes, encrypted. */
  timestamp: Uint8Array
  /** 16 bytes. */
  mac1: Uint8Array
  /** 16 bytes. */
  mac2: Uint8Array
}

export interface WireguardResponse {
  type: typeof wireguardTypes.response
  sender: number
  receiver: number
  /** 32 bytes. */
  ephemeral: Uint8Array
  /** 16 bytes: nothing, encrypted. */
  empty: Uint8Array
  /** 16 bytes. */
  mac1: Uint8Array
  /** 16 bytes. */
  mac2: Uint8Array
}

export interface WireguardCookie {
  type: typeof wireguardTypes.cookie
  receiver: number
  /** 24 bytes. */
  nonce: Uint8Array
  /** 32 bytes, encrypted. */
  cookie: Uint8Array
}

export interface WireguardData {
  type: typeof wireguardTypes.data
  receiver: number
  counter: bigint
  /** The encrypted packet and its authentication, 16 bytes; that alone keeps the connection alive. */
  payload: Uint8Array
}

export type WireguardRecord = WireguardInitiation | WireguardResponse | WireguardCookie | WireguardData

/** Decodes one message. @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodeWireguard(bytes: Uint8Array): WireguardRecord {
  return wireguardRecord(new WireguardView(bytes))
}

export function wireguardRecord(view: WireguardView): WireguardRecord {
  const { bytes, start, type, sender, receiver } = view
  const part = (from: number, to: number) => bytes.subarray(start + from, start + to)
  switch (type) {
    case wireguardTypes.initiation:
      return {
        type,
        sender,
        ephemeral: part(8, 40),
        static: part(40, 88),
        timestamp: part(88, 116),
        mac1: part(116, 132),
        mac2: part(132, 148),
      }
    case wireguardTypes.response:
      return {
        type,
        sender,
        receiver,
        ephemeral: part(12, 44),
        empty: part(44, 60),
        mac1: part(60, 76),
        mac2: part(76, 92),
      }
    case wireguardTypes.cookie:
      return { type, receiver, nonce: part(8, 32), cookie: part(32, 64) }
    default:
      return { type: wireguardTypes.data, receiver, counter: view.counter, payload: view.payload() }
  }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeWireguard(record: WireguardRecord): Uint8Array {
  switch (record.type) {
    case wireguardTypes.initiation:
      return concatBytes(
        words(record.type, ['sender', record.sender]),
        fixed('ephemeral', record.ephemeral, 32),
        fixed('static', record.static, 48),
        fixed('timestamp', record.timestamp, 28),
        fixed('mac1', record.mac1, 16),
        fixed('mac2', record.mac2, 16),
      )
    case wireguardTypes.response:
      return concatBytes(
        words(record.type, ['sender', record.sender], ['receiver', record.receiver]),
        fixed('ephemeral', record.ephemeral, 32),
        fixed('empty', record.empty, 16),
        fixed('mac1', record.mac1, 16),
        fixed('mac2', record.mac2, 16),
      )
    case wireguardTypes.cookie:
      return concatBytes(
        words(record.type, ['receiver', record.receiver]),
        fixed('nonce', record.nonce, 24),
        fixed('cookie', record.cookie, 32),
      )
    case wireguardTypes.data: {
      const { counter, receiver } = record
      if (typeof counter !== 'bigint') throw invalidArgumentType('counter', 'a bigint', counter)
      if (counter < 0n || counter >= 1n << 64n) throw outOfRange('counter', '>= 0n and < 2n ** 64n', counter)
      const low = Number(counter & 0xffffffffn)
      const high = Number(counter >> 32n)
      const payload = byteField('payload', record.payload)
      if (payload.length < 16) throw outOfRange('payload.length', '>= 16', payload.length)
      return concatBytes(
        words(record.type, ['receiver', receiver], ['counter', low], ['counter', high]),
        payload,
      )
    }
    default:
      throw invalidArgumentValue('type', (record as { type: unknown }).type, 'must be 1 to 4')
  }
}

function words(type: number, ...values: [string, number][]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * values.length)
  bytes[0] = type
  values.forEach(([name, value], i) => {
    writeUint32(bytes, 4 + 4 * i, swap32(uint(name, value, 32)))
  })
  return bytes
}

function fixed(name: string, value: Uint8Array, length: number): Uint8Array {
  const bytes = byteField(name, value)
  if (bytes.length !== length) throw invalidArgumentValue(`${name}.length`, bytes.length, `must be ${length}`)
  return bytes
}

function swap32(value: number): number {
  return ((value >>> 24) | ((value >>> 8) & 0xff00) | ((value & 0xff00) << 8) | ((value & 0xff) << 24)) >>> 0
}
