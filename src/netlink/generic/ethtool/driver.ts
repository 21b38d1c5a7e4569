import { littleEndian } from '../../core/index.js'

/** The driver of a device: struct ethtool_drvinfo of include/uapi/linux/ethtool.h. Empty where it says nothing. */
export interface DriverInfo {
  /** `veth`, `tun`, `virtio_net` */
  readonly driver: string
  /** Of the driver, or of the kernel. */
  readonly version: string
  readonly firmwareVersion: string
  /** Where the device is: a PCI address. */
  readonly busInfo: string
  readonly expansionRomVersion: string
  /** How many statistics and flags of its own the driver has. */
  readonly statistics: number
  readonly privateFlags: number
  /** How many results a self-test has. */
  readonly tests: number
  /** Bytes. */
  readonly eepromLength: number
  readonly registerDumpLength: number
}

export function readDriverInfo(bytes: Uint8Array): DriverInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const number = (at: number) => view.getUint32(at, littleEndian)
  return {
    driver: text(bytes, 4),
    version: text(bytes, 36),
    firmwareVersion: text(bytes, 68),
    busInfo: text(bytes, 100),
    expansionRomVersion: text(bytes, 132),
    privateFlags: number(176),
    statistics: number(180),
    tests: number(184),
    eepromLength: number(188),
    registerDumpLength: number(192),
  }
}

/** By name, in the driver's order. */
export function readStatistics(count: number, bytes: Uint8Array): Record<string, bigint> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      text(bytes, 32 * i),
      view.getBigUint64(32 * count + 8 * i, littleEndian),
    ]),
  )
}

/** Of 32 bytes (ETH_GSTRING_LEN), up to the first zero. */
function text(bytes: Uint8Array, at: number): string {
  const part = bytes.subarray(at, at + 32)
  const end = part.indexOf(0)
  return new TextDecoder().decode(end < 0 ? part : part.subarray(0, end))
}
