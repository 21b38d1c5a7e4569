/**
 * The blocks of pcapng but those of packets: draft-ietf-opsawg-pcapng section 4. Every block is
 *
 *   0   4  block type
 *   4   4  total length, a multiple of 4
 *   8      body, padded to a multiple of 4, and options
 *          total length again (4)
 *
 * and offsets below are within the block.
 *
 *  section 0x0a0d0d0a                interface 1              statistics 5
 *   8   4  0x1a2b3c4d                 8   2  link type         8   4  interface
 *  12   2  major version              10  2  reserved          12  8  time stamp, upper half first
 *  14   2  minor version              12  4  snapshot length   20     options
 *  16   8  section length, or -1      16     options
 *  24      options
 *
 *  names 4               secrets 10               custom 0xbad, 0x40000bad
 *   8   records           8   4  kind              8   4  enterprise number
 *       options          12   4  length           12      data and options, whose border only the
 *                        16      data, options            enterprise knows
 */
import { invalidArgumentType, invalidArgumentValue, requireInteger } from '../errors/index.js'
import { CaptureFileError } from './capture-error.js'
import {
  blockTypes,
  type CaptureInterface,
  type CaptureNames,
  type CaptureSecrets,
  type CaptureSection,
  type CustomBlock,
  type InterfaceStatistics,
  interfaceOptions,
  namesOptions,
  secretsOptions,
  sectionOptions,
  statisticsOptions,
  type UnknownBlock,
} from './capture-items.js'
import { fileLinkType, linkTypeNumber } from './file-link-type.js'
import { decodeNameRecords, encodeNameRecords } from './name-records.js'
import { requireBigint } from './option-codecs.js'
import {
  decodeOptions,
  encodeOptions,
  type OptionTable,
  optionsLength,
  type RawOption,
  writeOptions,
} from './option-table.js'

export type PlainBlock =
  | CaptureInterface
  | InterfaceStatistics
  | CaptureNames
  | CaptureSecrets
  | CustomBlock
  | UnknownBlock

export function decodeSection(block: Uint8Array, fileOffset: number): CaptureSection {
  const view = viewOf(block)
  const little = view.getUint32(8, true) === 0x1a2b3c4d
  requireLength(block, 28, fileOffset)
  const major = view.getUint16(12, little)
  const minor = view.getUint16(14, little)
  // A minor version of 2 was written by some and means 0.
  if (major !== 1 || (minor !== 0 && minor !== 2))
    throw new CaptureFileError(fileOffset + 12, `version ${major}.${minor} of pcapng is not known`)
  const length = view.getBigInt64(16, little)
  return {
    type: 'section',
    format: 'pcapng',
    littleEndian: little,
    version: [major, minor],
    length: length < 0n ? undefined : length,
    interfaces: [],
    ...decodeOptions(sectionOptions, block, 24, block.length - 4, little, fileOffset),
  }
}

/** A block of any type but a section or packet. @throws CaptureFileError when it is malformed */
export function decodeBlock(
  block: Uint8Array,
  type: number,
  section: CaptureSection,
  fileOffset: number,
): PlainBlock {
  const view = viewOf(block)
  const little = section.littleEndian
  const end = block.length - 4
  const options = <T extends OptionTable>(table: T, start: number) =>
    decodeOptions(table, block, start, end, little, fileOffset)
  switch (type) {
    case blockTypes.interface: {
      requireLength(block, 20, fileOffset)
      return {
        type: 'interface',
        linkType: fileLinkType(view.getUint16(8, little)),
        snapLength: view.getUint32(12, little),
        ...options(interfaceOptions, 16),
      }
    }
    case blockTypes.statistics: {
      requireLength(block, 24, fileOffset)
      const number = view.getUint32(8, little)
      if (number >= section.interfaces.length)
        throw new CaptureFileError(fileOffset + 8, `there is no interface ${number} in this section`)
      return {
        type: 'statistics',
        interface: number,
        ticks: (BigInt(view.getUint32(12, little)) << 32n) | BigInt(view.getUint32(16, little)),
        ...options(statisticsOptions, 20),
      }
    }
    case blockTypes.names: {
      const { records, next } = decodeNameRecords(block, 8, end, little, fileOffset)
      return { type: 'names', records, ...options(namesOptions, next) }
    }
    case blockTypes.secrets: {
      requireLength(block, 20, fileOffset)
      const length = view.getUint32(12, little)
      if (length > block.length - 20)
        throw new CaptureFileError(fileOffset + 12, `secrets of ${length} bytes lead out of their block`)
      return {
        type: 'secrets',
        kind: view.getUint32(8, little),
        data: block.slice(16, 16 + length),
        ...options(secretsOptions, 16 + ((length + 3) & ~3)),
      }
    }
    case blockTypes.custom:
    case blockTypes.customNotCopied:
      requireLength(block, 16, fileOffset)
      return {
        type: 'custom',
        copy: type === blockTypes.custom,
        enterprise: view.getUint32(8, little),
        data: block.slice(12, end),
      }
    default:
      return { type: 'unknown', blockType: type, body: block.slice(8, end) }
  }
}

export type SectionInput = Partial<Omit<CaptureSection, 'type' | 'format' | 'interfaces'>>

export function encodeSection(section: SectionInput, little: boolean): Uint8Array {
  const [major, minor] = section.version ?? [1, 0]
  const length = section.length === undefined ? -1n : requireBigint('length', section.length, 0n, 1n << 63n)
  if (major !== 1 || (minor !== 0 && minor !== 2))
    throw invalidArgumentValue('version', `${major}.${minor}`, 'must be 1.0')
  const { bytes, view } = makeBlock(
    blockTypes.section,
    16,
    encodeOptions(sectionOptions, section, little),
    little,
  )
  view.setUint32(8, 0x1a2b3c4d, little)
  view.setUint16(12, major, little)
  view.setUint16(14, minor, little)
  view.setBigInt64(16, length, little)
  return bytes
}

export function encodeBlock(item: PlainBlock, little: boolean): Uint8Array {
  switch (item.type) {
    case 'interface': {
      const number = linkTypeNumber(item.linkType)
      const snapLength = requireInteger('snapLength', item.snapLength, 0, 0xffffffff)
      const { bytes, view } = makeBlock(
        blockTypes.interface,
        8,
        encodeOptions(interfaceOptions, item, little),
        little,
      )
      view.setUint16(8, number, little)
      view.setUint32(12, snapLength, little)
      return bytes
    }
    case 'statistics': {
      const ticks = requireBigint('ticks', item.ticks, 0n, 1n << 64n)
      const { bytes, view } = makeBlock(
        blockTypes.statistics,
        12,
        encodeOptions(statisticsOptions, item, little),
        little,
      )
      view.setUint32(8, item.interface, little)
      view.setUint32(12, Number(ticks >> 32n), little)
      view.setUint32(16, Number(ticks & 0xffffffffn), little)
      return bytes
    }
    case 'names': {
      const records = encodeNameRecords(item.records, little)
      const { bytes } = makeBlock(
        blockTypes.names,
        records.length,
        encodeOptions(namesOptions, item, little),
        little,
      )
      bytes.set(records, 8)
      return bytes
    }
    case 'secrets': {
      const kind = requireInteger('kind', item.kind, 0, 0xffffffff)
      const data = requireBytes('data', item.data)
      const { bytes, view } = makeBlock(
        blockTypes.secrets,
        8 + data.length,
        encodeOptions(secretsOptions, item, little),
        little,
      )
      view.setUint32(8, kind, little)
      view.setUint32(12, data.length, little)
      bytes.set(data, 16)
      return bytes
    }
    case 'custom': {
      const enterprise = requireInteger('enterprise', item.enterprise, 0, 0xffffffff)
      const data = requireBytes('data', item.data, 4)
      const type = item.copy ? blockTypes.custom : blockTypes.customNotCopied
      const { bytes, view } = makeBlock(type, 4 + data.length, [], little)
      view.setUint32(8, enterprise, little)
      bytes.set(data, 12)
      return bytes
    }
    case 'unknown': {
      const type = requireInteger('blockType', item.blockType, 0, 0xffffffff)
      const body = requireBytes('body', item.body, 4)
      const { bytes } = makeBlock(type, body.length, [], little)
      bytes.set(body, 8)
      return bytes
    }
  }
}

/** A block with a zeroed body of `bodyLength` bytes at offset 8, for the caller to fill. */
export function makeBlock(
  type: number,
  bodyLength: number,
  options: readonly RawOption[],
  little: boolean,
): { bytes: Uint8Array; view: DataView } {
  const body = (bodyLength + 3) & ~3
  const length = 12 + body + optionsLength(options)
  const bytes = new Uint8Array(length)
  const view = viewOf(bytes)
  view.setUint32(0, type, little)
  view.setUint32(4, length, little)
  writeOptions(bytes, view, 8 + body, options, little)
  view.setUint32(length - 4, length, little)
  return { bytes, view }
}

function requireBytes(name: string, value: unknown, multiple = 1): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalidArgumentType(name, 'an instance of Uint8Array', value)
  if (value.length % multiple !== 0)
    throw invalidArgumentValue(name, value, `must have a multiple of ${multiple} bytes`)
  return value
}

function requireLength(block: Uint8Array, least: number, fileOffset: number): void {
  if (block.length < least)
    throw new CaptureFileError(fileOffset + 4, `a block of ${block.length} bytes is too short for its type`)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
