/**
 * Writes capture files in the pcapng format: draft-ietf-opsawg-pcapng sections 4.1 to 4.3. Offsets are within the
 * body of a block.
 *
 *  section header 0x0a0d0d0a      interface 1                    enhanced packet 6
 *   0   4  0x1a2b3c4d              0   2  link type               0   4  interface
 *   4   2  major version: 1        2   2  reserved                4   4  time stamp, upper half
 *   6   2  minor version: 0        4   4  snapshot length         8   4  time stamp, lower half
 *   8   8  section length: -1,                                   12   4  captured length
 *          unknown                                               16   4  original length
 *                                                                20      data
 */
import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  outOfRange,
  requireInteger,
} from '../errors/index.js'
import { type LinkType, linkTypes } from '../frames/index.js'
import { type BlockOption, makeBlock, textOption } from './pcapng-block.js'

const blockTypes = { sectionHeader: 0x0a0d0d0a, interface: 1, enhancedPacket: 6 } as const
const optionCodes = {
  comment: 1,
  application: 4,
  interfaceName: 2,
  timestampResolution: 9,
  packetFlags: 2,
} as const
const directions = { inbound: 1, outbound: 2 } as const

export interface PcapngHeaderOptions {
  /** Name of the program that writes the file. */
  application?: string | undefined
  comment?: string | undefined
}

export interface PcapngInterface {
  linkType: LinkType
  name?: string | undefined
  /** Most bytes that are kept of a packet; 0, the default, is no limit. */
  snapLength?: number | undefined
}

export interface PcapngPacket {
  /** Which of the interfaces described so far: 0 is the first. Default 0. */
  interface?: number | undefined
  /** Nanoseconds since 1970-01-01 UTC. */
  timestamp: bigint
  data: Uint8Array
  /** Bytes on the wire, if more than were captured. Default the length of `data`. */
  originalLength?: number | undefined
  direction?: keyof typeof directions | undefined
  comment?: string | undefined
}

/**
 * Makes the blocks of one file, in the order in which they must be written: first {@link header}, then every
 * {@link interface} before its packets. Time stamps are in nanoseconds.
 */
export class PcapngWriter {
  #interfaces: number | undefined

  /** @throws NetloomError `ERR_INVALID_STATE` when there is a header already */
  header(options: PcapngHeaderOptions = {}): Uint8Array {
    if (this.#interfaces !== undefined)
      throw new NetloomError('ERR_INVALID_STATE', 'the header was made before')
    const { application, comment } = options
    const { bytes, view } = makeBlock(blockTypes.sectionHeader, 16, [
      ...texts('comment', optionCodes.comment, comment),
      ...texts('application', optionCodes.application, application),
    ])
    view.setUint32(8, 0x1a2b3c4d, true)
    view.setUint16(12, 1, true)
    view.setBigInt64(16, -1n, true)
    this.#interfaces = 0
    return bytes
  }

  /** Describes one more interface: the first is number 0, the next 1, and so on. */
  interface(options: PcapngInterface): Uint8Array {
    const interfaces = this.#begun()
    const { linkType, name, snapLength } = options
    if (!Object.hasOwn(linkTypes, linkType))
      throw invalidArgumentValue('linkType', linkType, 'is not a known link type')
    const { bytes, view } = makeBlock(blockTypes.interface, 8, [
      ...texts('name', optionCodes.interfaceName, name),
      { code: optionCodes.timestampResolution, value: Uint8Array.of(9) },
    ])
    view.setUint16(8, linkTypes[linkType], true)
    view.setUint32(12, requireInteger('snapLength', snapLength ?? 0, 0, 0xffffffff), true)
    this.#interfaces = interfaces + 1
    return bytes
  }

  packet(packet: PcapngPacket): Uint8Array {
    const { timestamp, data, direction } = packet
    const last = this.#begun() - 1
    const id = packet.interface ?? 0
    if (!Number.isInteger(id) || id < 0 || id > last)
      throw outOfRange('interface', 'the number of an interface described before', id)
    if (!(data instanceof Uint8Array)) throw invalidArgumentType('data', 'an instance of Uint8Array', data)
    if (typeof timestamp !== 'bigint') throw invalidArgumentType('timestamp', 'a bigint', timestamp)
    if (timestamp < 0n || timestamp >= 1n << 64n)
      throw outOfRange('timestamp', '>= 0n and < 2n ** 64n', timestamp)
    const length = requireInteger(
      'originalLength',
      packet.originalLength ?? data.length,
      data.length,
      0xffffffff,
    )
    const options = texts('comment', optionCodes.comment, packet.comment)
    if (direction !== undefined) options.push(flags(direction))
    const { bytes, view } = makeBlock(blockTypes.enhancedPacket, 20 + data.length, options)
    view.setUint32(8, id, true)
    view.setUint32(12, Number(timestamp >> 32n), true)
    view.setUint32(16, Number(timestamp & 0xffffffffn), true)
    view.setUint32(20, data.length, true)
    view.setUint32(24, length, true)
    bytes.set(data, 28)
    return bytes
  }

  #begun(): number {
    if (this.#interfaces === undefined) throw new NetloomError('ERR_INVALID_STATE', 'the header comes first')
    return this.#interfaces
  }
}

function texts(name: string, code: number, text: string | undefined): BlockOption[] {
  if (text === undefined) return []
  if (typeof text !== 'string') throw invalidArgumentType(name, 'a string', text)
  return [textOption(name, code, text)]
}

function flags(direction: keyof typeof directions): BlockOption {
  if (!Object.hasOwn(directions, direction))
    throw invalidArgumentValue('direction', direction, 'must be inbound or outbound')
  return { code: optionCodes.packetFlags, value: Uint8Array.of(directions[direction], 0, 0, 0) }
}
