/**
 * LLDP: IEEE 802.1AB clause 8. A list of
 *
 *   0   2  type (7 bits), length of the data (9)
 *   2      data
 *
 *  chassis 1, port 2              time to live 3                 capabilities 7
 *   0   1  subtype                 0   2  seconds; 0 is farewell   0   2  what it can do
 *   1      identifier                                              2   2  what it does
 *  texts 4, 5, 6                  management address 8            organization's own 127
 *   0      UTF-8                   0   1  length of the next two    0   3  organization
 *  end 0                           1   1  address family (IANA)     3   1  subtype
 *                                  2      address                   4      data
 *                                         interface numbering (1), number (4), length (1) and object
 */
import { concatBytes, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import { malformed } from './frame-error.js'
import { FrameView } from './frame-view.js'
import { readText, utf8 } from './option-values.js'
import { byteField, uint } from './record.js'

const types = {
  end: 0,
  chassisId: 1,
  portId: 2,
  timeToLive: 3,
  portDescription: 4,
  systemName: 5,
  systemDescription: 6,
  capabilities: 7,
  managementAddress: 8,
  organization: 127,
} as const

/** Bits of the capabilities (IEEE 802.1AB clause 8.5.8). */
export const lldpCapabilities = {
  other: 0x01,
  repeater: 0x02,
  bridge: 0x04,
  wlanAccessPoint: 0x08,
  router: 0x10,
  telephone: 0x20,
  docsis: 0x40,
  station: 0x80,
} as const

export interface LldpManagementAddress {
  kind: 'managementAddress'
  /** 1 is IPv4, 2 IPv6, 6 a MAC address (https://www.iana.org/assignments/address-family-numbers). */
  family: number
  address: Uint8Array
  /** 1 unknown, 2 ifIndex, 3 system port. */
  interfaceNumbering: number
  interfaceNumber: number
  /** An object identifier of SNMP as on the wire; empty as a rule. */
  object: Uint8Array
}

export type LldpElement =
  /** Subtype 4 is a MAC address, 5 a network address, 7 the system's choice of text. */
  | { kind: 'chassisId'; subtype: number; id: Uint8Array }
  /** Subtype 3 is a MAC address, 4 a network address, 5 the interface's name. */
  | { kind: 'portId'; subtype: number; id: Uint8Array }
  /** 0 says that the system goes. */
  | { kind: 'timeToLive'; seconds: number }
  | { kind: 'portDescription' | 'systemName' | 'systemDescription'; text: string }
  /** Bits of {@link lldpCapabilities}. */
  | { kind: 'capabilities'; available: number; enabled: number }
  | LldpManagementAddress
  | { kind: 'organization'; organization: number; subtype: number; data: Uint8Array }
  /** Of another type, or with unusual data. */
  | { kind: 'unknown'; type: number; data: Uint8Array }

export class LldpView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('lldp', 2, bytes, start, end)
  }

  /** Where the list begins. */
  get payloadOffset(): number {
    return this.start
  }
}

export interface LldpRecord {
  /** Without the end. */
  elements: LldpElement[]
}

/** Up to the end element, or all. @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodeLldp(bytes: Uint8Array): LldpRecord {
  return lldpRecord(new LldpView(bytes))
}

export function lldpRecord(view: LldpView): LldpRecord {
  const { bytes, start, end } = view
  const elements: LldpElement[] = []
  for (let at = start; at < end; ) {
    const next = lldpNext(bytes, at, end)
    if (next === 0) throw malformed('lldp', 'an element is longer than the frame')
    const type = bytes[at]! >> 1
    const data = bytes.subarray(at + 2, next)
    if (type === types.end && data.length === 0) break
    elements.push(decodeElement(type, data) ?? { kind: 'unknown', type, data })
    at = next
  }
  return { elements }
}

/** Where the element at `at` ends, or 0 when that is after `end`. */
export function lldpNext(bytes: Uint8Array, at: number, end: number): number {
  const next = at + 2 <= end ? at + 2 + (readUint16(bytes, at) & 0x1ff) : end + 1
  return next > end ? 0 : next
}

function decodeElement(type: number, data: Uint8Array): LldpElement | undefined {
  const { length } = data
  switch (type) {
    case types.chassisId:
    case types.portId:
      if (length < 2) return undefined
      return {
        kind: type === types.chassisId ? 'chassisId' : 'portId',
        subtype: data[0]!,
        id: data.subarray(1),
      }
    case types.timeToLive:
      return length === 2 ? { kind: 'timeToLive', seconds: readUint16(data, 0) } : undefined
    case types.portDescription:
    case types.systemName:
    case types.systemDescription: {
      const text = readText(data)
      const kind = (['portDescription', 'systemName', 'systemDescription'] as const)[type - 4]!
      return text === undefined ? undefined : { kind, text }
    }
    case types.capabilities:
      if (length !== 4) return undefined
      return { kind: 'capabilities', available: readUint16(data, 0), enabled: readUint16(data, 2) }
    case types.managementAddress:
      return decodeManagementAddress(data)
    case types.organization:
      if (length < 4) return undefined
      return {
        kind: 'organization',
        organization: readUint32(data, 0) >>> 8,
        subtype: data[3]!,
        data: data.subarray(4),
      }
    default:
      return undefined
  }
}

function decodeManagementAddress(data: Uint8Array): LldpManagementAddress | undefined {
  const numbering = 1 + (data[0] ?? 0)
  if (numbering < 2 || data.length < numbering + 6) return undefined
  const object = data.subarray(numbering + 6)
  if (object.length !== data[numbering + 5]) return undefined
  return {
    kind: 'managementAddress',
    family: data[1]!,
    address: data.subarray(2, numbering),
    interfaceNumbering: data[numbering]!,
    interfaceNumber: readUint32(data, numbering + 1),
    object,
  }
}

/** Adds the end. @throws TypeError, RangeError for a field that does not fit */
export function encodeLldp(record: LldpRecord): Uint8Array {
  if (!Array.isArray(record.elements)) throw invalidArgumentType('elements', 'an array', record.elements)
  const parts = record.elements.flatMap(element => {
    const [type, data] = encodeElement(element)
    const header = new Uint8Array(2)
    writeUint16(header, 0, (type << 9) | uint('length of the element', data.length, 9))
    return [header, data]
  })
  return concatBytes(...parts, new Uint8Array(2))
}

function encodeElement(element: LldpElement): [number, Uint8Array] {
  const { kind } = element
  switch (kind) {
    case 'chassisId':
    case 'portId': {
      const subtype = Uint8Array.of(uint('subtype', element.subtype, 8))
      return [types[kind], concatBytes(subtype, byteField('id', element.id))]
    }
    case 'timeToLive': {
      const data = new Uint8Array(2)
      writeUint16(data, 0, uint('seconds', element.seconds, 16))
      return [types[kind], data]
    }
    case 'portDescription':
    case 'systemName':
    case 'systemDescription':
      return [types[kind], utf8.write(kind, element.text)]
    case 'capabilities': {
      const data = new Uint8Array(4)
      writeUint16(data, 0, uint('available', element.available, 16))
      writeUint16(data, 2, uint('enabled', element.enabled, 16))
      return [types[kind], data]
    }
    case 'managementAddress':
      return [types[kind], encodeManagementAddress(element)]
    case 'organization': {
      const data = new Uint8Array(4)
      writeUint32(data, 0, uint('organization', element.organization, 24) << 8)
      data[3] = uint('subtype', element.subtype, 8)
      return [types[kind], concatBytes(data, byteField('data', element.data))]
    }
    case 'unknown':
      return [uint('type', element.type, 7), byteField('data', element.data)]
    default:
      throw invalidArgumentValue('element.kind', kind, 'is not a known kind')
  }
}

function encodeManagementAddress(element: LldpManagementAddress): Uint8Array {
  const address = byteField('address', element.address)
  const object = byteField('object', element.object)
  const start = Uint8Array.of(
    uint('address.length + 1', address.length + 1, 8),
    uint('family', element.family, 8),
  )
  const middle = new Uint8Array(6)
  middle[0] = uint('interfaceNumbering', element.interfaceNumbering, 8)
  writeUint32(middle, 1, uint('interfaceNumber', element.interfaceNumber, 32))
  middle[5] = uint('object.length', object.length, 8)
  return concatBytes(start, address, middle, object)
}
