/**
 * Spanning tree: bridge protocol data units of IEEE 802.1D clause 9 (STP and RSTP). Those of MSTP begin alike; what
 * they add is the payload.
 *
 *   0   2  protocol: 0
 *   2   1  version: 0 STP, 2 RSTP, 3 MSTP
 *   3   1  type: 0 configuration, 2 rapid, 0x80 topology change, which ends here
 *   4   1  flags: topology change acknowledgment (1 bit), agreement (1), forwarding (1), learning (1), port role (2),
 *          proposal (1), topology change (1)
 *   5   8  root: priority (4 bits), system identifier (12), MAC address (6 bytes)
 *  13   4  cost of the path to the root
 *  17   8  bridge, as the root
 *  25   2  port: priority (4 bits), number (12)
 *  27   2  message age in units of 1/256 s, as the next three
 *  29   2  maximum age
 *  31   2  hello time
 *  33   2  forward delay
 *  35   1  rapid: length of the data of version 1, 0
 */
import { formatMacAddress, parseMacAddress } from '../address/index.js'
import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { malformed } from './frame-error.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, noBytes, uint } from './record.js'

export const stpTypes = { configuration: 0x00, rapid: 0x02, topologyChange: 0x80 } as const

/** Bits of the flags. The port role is `flags & roleMask`: alternate 0x04, root 0x08, designated 0x0c. */
export const stpFlags = {
  topologyChange: 0x01,
  proposal: 0x02,
  roleMask: 0x0c,
  learning: 0x10,
  forwarding: 0x20,
  agreement: 0x40,
  topologyChangeAcknowledgment: 0x80,
} as const

/** Where the payload begins; 0 for what is no such unit, or of an unknown type. */
export function stpLength(bytes: Uint8Array, start: number): number {
  if (readUint16(bytes, start) !== 0) return 0
  const type = bytes[start + 3]
  if (type === stpTypes.topologyChange) return 4
  return type === stpTypes.configuration ? 35 : type === stpTypes.rapid ? 36 : 0
}

export class StpView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('stp', 4, bytes, start, end)
    const length = stpLength(bytes, this.start)
    if (length === 0) throw malformed('stp', 'the protocol or type is not known')
    this.require('stp', length)
  }

  /** 0 STP, 2 RSTP, 3 MSTP. */
  get version(): number {
    return this.bytes[this.start + 2]!
  }

  /** One of {@link stpTypes}. */
  get type(): number {
    return this.bytes[this.start + 3]!
  }

  /** See {@link stpFlags}. These and all below are not of a topology change. */
  get flags(): number {
    return this.bytes[this.start + 4]!
  }

  /** Priority and system identifier of the root, as one number. */
  get rootPriority(): number {
    return readUint16(this.bytes, this.start + 5)
  }

  get rootMacAddress(): string {
    return formatMacAddress(this.bytes, this.start + 7)
  }

  get rootPathCost(): number {
    return readUint32(this.bytes, this.start + 13)
  }

  get bridgePriority(): number {
    return readUint16(this.bytes, this.start + 17)
  }

  get bridgeMacAddress(): string {
    return formatMacAddress(this.bytes, this.start + 19)
  }

  /** Priority and number, as one. */
  get portId(): number {
    return readUint16(this.bytes, this.start + 25)
  }

  get messageAgeSeconds(): number {
    return readUint16(this.bytes, this.start + 27) / 256
  }

  get maxAgeSeconds(): number {
    return readUint16(this.bytes, this.start + 29) / 256
  }

  get helloTimeSeconds(): number {
    return readUint16(this.bytes, this.start + 31) / 256
  }

  get forwardDelaySeconds(): number {
    return readUint16(this.bytes, this.start + 33) / 256
  }

  get payloadOffset(): number {
    return this.start + stpLength(this.bytes, this.start)
  }
}

/** Priority and system identifier as one number, 0 to 65535, and MAC address. */
export interface StpBridgeId {
  priority: number
  macAddress: string
}

export interface StpConfiguration {
  /** See {@link stpFlags}. */
  flags: number
  root: StpBridgeId
  rootPathCost: number
  bridge: StpBridgeId
  /** Priority (4 bits) and number (12). */
  portId: number
  /** Multiples of 1/256, as the next three. */
  messageAgeSeconds: number
  maxAgeSeconds: number
  helloTimeSeconds: number
  forwardDelaySeconds: number
}

export interface StpRecord {
  version: number
  type: number
  /** Absent in a topology change. */
  configuration?: StpConfiguration | undefined
  /** What follows: of MSTP, or the VLAN of Cisco's PVST. */
  payload: Uint8Array
}

/** `version` is that of the type unless given: 2 for rapid, else 0. */
export type StpInput = Input<StpRecord, 'type'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodeStp(bytes: Uint8Array): StpRecord {
  return stpRecord(new StpView(bytes))
}

export function stpRecord(view: StpView): StpRecord {
  const { version, type } = view
  const payload = view.payload()
  if (type === stpTypes.topologyChange) return { version, type, payload }
  const configuration = {
    flags: view.flags,
    root: { priority: view.rootPriority, macAddress: view.rootMacAddress },
    rootPathCost: view.rootPathCost,
    bridge: { priority: view.bridgePriority, macAddress: view.bridgeMacAddress },
    portId: view.portId,
    messageAgeSeconds: view.messageAgeSeconds,
    maxAgeSeconds: view.maxAgeSeconds,
    helloTimeSeconds: view.helloTimeSeconds,
    forwardDelaySeconds: view.forwardDelaySeconds,
  }
  return { version, type, configuration, payload }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeStp(record: StpInput): Uint8Array {
  const payload = byteField('payload', record.payload, noBytes)
  const { type, configuration } = record
  const start = Uint8Array.of(0, 0, 0, uint('type', type, 8))
  start[2] = uint('version', record.version, 8, type === stpTypes.rapid ? 2 : 0)
  const length = stpLength(start, 0)
  if (length === 0) throw invalidArgumentValue('type', type, 'must be 0, 2 or 0x80')
  const bytes = new Uint8Array(length + payload.length)
  bytes.set(start)
  bytes.set(payload, length)
  if (type === stpTypes.topologyChange) return bytes
  if (!configuration)
    throw invalidArgumentValue('configuration', configuration, 'must be given, but for a topology change')
  bytes[4] = uint('flags', configuration.flags, 8)
  writeBridgeId(bytes, 5, configuration.root)
  writeUint32(bytes, 13, uint('rootPathCost', configuration.rootPathCost, 32))
  writeBridgeId(bytes, 17, configuration.bridge)
  writeUint16(bytes, 25, uint('portId', configuration.portId, 16))
  const times = ['messageAgeSeconds', 'maxAgeSeconds', 'helloTimeSeconds', 'forwardDelaySeconds'] as const
  times.forEach((name, i) => {
    writeUint16(bytes, 27 + 2 * i, uint(`${name} * 256`, configuration[name] * 256, 16))
  })
  return bytes
}

function writeBridgeId(bytes: Uint8Array, at: number, bridge: StpBridgeId): void {
  writeUint16(bytes, at, uint('priority', bridge.priority, 16))
  bytes.set(parseMacAddress(bridge.macAddress), at + 2)
}
