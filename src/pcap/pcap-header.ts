/**
 * The header of a pcap file: draft-ietf-opsawg-pcap section 4.
 *
 *   0   4  magic number: byte order, unit of the fractions of seconds, what precedes packets
 *   4   2  major version: 2
 *   6   2  minor version: 4
 *   8   4  reserved; was the difference to UTC
 *  12   4  reserved; was the accuracy of time stamps
 *  16   4  snapshot length
 *  20   4  link type in the lower 16 bits; bit 26: bits 28 to 31 are the length of the frame check
 *          sequence in units of 16 bits
 */
import { CaptureFileError } from './capture-error.js'
import type { CaptureInterface, CaptureSection } from './capture-items.js'
import { fileLinkType, linkTypeNumber } from './file-link-type.js'
import { microseconds, nanoseconds } from './timestamp-scale.js'

export const pcapHeaderLength = 24
export const pcapMagic = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d, modified: 0xa1b2cd34 } as const

const fcsPresent = 0x04000000

/** Whether these four bytes begin a pcap file, and in which byte order; `undefined` if not. */
export function pcapByteOrder(bytes: Uint8Array): boolean | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4)
  const magics: number[] = Object.values(pcapMagic)
  for (const little of [true, false]) if (magics.includes(view.getUint32(0, little))) return little
  return undefined
}

export function decodePcapHeader(bytes: Uint8Array): CaptureSection {
  const view = new DataView(bytes.buffer, bytes.byteOffset, pcapHeaderLength)
  const littleEndian = pcapByteOrder(bytes) ?? true
  const magic = view.getUint32(0, littleEndian)
  const version = [view.getUint16(4, littleEndian), view.getUint16(6, littleEndian)] as const
  if (version[0] !== 2 || version[1] > 4)
    throw new CaptureFileError(4, `version ${version[0]}.${version[1]} of pcap is not known`)
  const network = view.getUint32(20, littleEndian)
  const one: CaptureInterface = {
    type: 'interface',
    linkType: fileLinkType(network & 0xffff),
    snapLength: view.getUint32(16, littleEndian),
    timestampResolution: magic === pcapMagic.nanoseconds ? nanoseconds : microseconds,
  }
  if (network & fcsPresent) one.fcsLength = (network >>> 28) * 2
  return {
    type: 'section',
    format: 'pcap',
    littleEndian,
    version,
    variant: magic === pcapMagic.modified ? 'modified' : 'standard',
    interfaces: [one],
  }
}

export function encodePcapHeader(one: CaptureInterface, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(pcapHeaderLength)
  const view = new DataView(bytes.buffer)
  const isFine = one.timestampResolution?.exponent === 9
  view.setUint32(0, isFine ? pcapMagic.nanoseconds : pcapMagic.microseconds, littleEndian)
  view.setUint16(4, 2, littleEndian)
  view.setUint16(6, 4, littleEndian)
  view.setUint32(16, one.snapLength, littleEndian)
  const fcs = one.fcsLength === undefined ? 0 : fcsPresent | ((one.fcsLength / 2) << 28)
  view.setUint32(20, (linkTypeNumber(one.linkType) | fcs) >>> 0, littleEndian)
  return bytes
}
