import { extensionBase, extensions, type Instruction, memoryWords } from './instruction.js'

/** What is known of a packet beside its bytes. */
export interface FilterMetadata {
  /** Length on the wire, which is more than the bytes if the packet was cut. Default: as many as the bytes. */
  length?: number | undefined
  /** Whether this host sent it. */
  direction?: 'inbound' | 'outbound' | undefined
  /** Index of the interface. */
  interface?: number | undefined
  /** A tag of 802.1Q that was taken out of the frame: its control word and its protocol, 0x8100 unless given. */
  vlan?: { tci: number; protocol?: number | undefined } | undefined
  /** EtherType, for packets without link header. */
  protocol?: number | undefined
}

/**
 * Runs a checked program. How many bytes of the packet it wants, 0 for none of it. As in the kernel, a load past the
 * end of the packet refuses it, and so does a division by zero, or a fact that `metadata` does not have.
 */
export function execute(
  program: Int32Array,
  packet: Uint8Array,
  metadata: FilterMetadata | undefined,
): number {
  const end = packet.length
  let a = 0
  let x = 0
  let memory: Int32Array | undefined
  for (let at = 0; ; at += 4) {
    const k = program[at + 3]!
    switch (program[at]!) {
      case 0x00:
        a = k
        continue
      case 0x20:
        if (k >>> 0 >= extensionBase) {
          const fact = extension((k >>> 0) - extensionBase, metadata)
          if (fact === undefined) return 0
          a = fact
          continue
        }
        if ((k >>> 0) + 4 > end) return 0
        a = (packet[k]! << 24) | (packet[k + 1]! << 16) | (packet[k + 2]! << 8) | packet[k + 3]!
        continue
      case 0x28:
        if (k >>> 0 >= extensionBase) {
          const fact = extension((k >>> 0) - extensionBase, metadata)
          if (fact === undefined) return 0
          a = fact
          continue
        }
        if ((k >>> 0) + 2 > end) return 0
        a = (packet[k]! << 8) | packet[k + 1]!
        continue
      case 0x30:
        if (k >>> 0 >= extensionBase) {
          const fact = extension((k >>> 0) - extensionBase, metadata)
          if (fact === undefined) return 0
          a = fact
          continue
        }
        if (k >>> 0 >= end) return 0
        a = packet[k]!
        continue
      case 0x40: {
        const from = (x >>> 0) + (k >>> 0)
        if (from + 4 > end) return 0
        a = (packet[from]! << 24) | (packet[from + 1]! << 16) | (packet[from + 2]! << 8) | packet[from + 3]!
        continue
      }
      case 0x48: {
        const from = (x >>> 0) + (k >>> 0)
        if (from + 2 > end) return 0
        a = (packet[from]! << 8) | packet[from + 1]!
        continue
      }
      case 0x50: {
        const from = (x >>> 0) + (k >>> 0)
        if (from >= end) return 0
        a = packet[from]!
        continue
      }
      case 0x60:
        a = memory![k]!
        continue
      case 0x80:
        a = metadata?.length ?? end
        continue
      case 0x01:
        x = k
        continue
      case 0x61:
        x = memory![k]!
        continue
      case 0x81:
        x = metadata?.length ?? end
        continue
      case 0xb1:
        if (k >>> 0 >= end) return 0
        x = (packet[k]! & 0xf) << 2
        continue
      case 0x02:
        memory ??= new Int32Array(memoryWords)
        memory[k] = a
        continue
      case 0x03:
        memory ??= new Int32Array(memoryWords)
        memory[k] = x
        continue
      case 0x04:
        a = (a + k) | 0
        continue
      case 0x0c:
        a = (a + x) | 0
        continue
      case 0x14:
        a = (a - k) | 0
        continue
      case 0x1c:
        a = (a - x) | 0
        continue
      case 0x24:
        a = Math.imul(a, k)
        continue
      case 0x2c:
        a = Math.imul(a, x)
        continue
      case 0x34:
        a = ((a >>> 0) / (k >>> 0)) | 0
        continue
      case 0x3c:
        if (x === 0) return 0
        a = ((a >>> 0) / (x >>> 0)) | 0
        continue
      case 0x94:
        a = ((a >>> 0) % (k >>> 0)) | 0
        continue
      case 0x9c:
        if (x === 0) return 0
        a = ((a >>> 0) % (x >>> 0)) | 0
        continue
      case 0x44:
        a |= k
        continue
      case 0x4c:
        a |= x
        continue
      case 0x54:
        a &= k
        continue
      case 0x5c:
        a &= x
        continue
      case 0xa4:
        a ^= k
        continue
      case 0xac:
        a ^= x
        continue
      case 0x64:
        a <<= k
        continue
      case 0x6c:
        a = x >>> 0 > 31 ? 0 : a << x
        continue
      case 0x74:
        a >>>= k
        continue
      case 0x7c:
        a = x >>> 0 > 31 ? 0 : a >>> x
        continue
      case 0x84:
        a = -a | 0
        continue
      case 0x05:
        at += k * 4
        continue
      case 0x15:
        at += (a | 0) === k ? program[at + 1]! : program[at + 2]!
        continue
      case 0x1d:
        at += (a | 0) === (x | 0) ? program[at + 1]! : program[at + 2]!
        continue
      case 0x25:
        at += a >>> 0 > k >>> 0 ? program[at + 1]! : program[at + 2]!
        continue
      case 0x2d:
        at += a >>> 0 > x >>> 0 ? program[at + 1]! : program[at + 2]!
        continue
      case 0x35:
        at += a >>> 0 >= k >>> 0 ? program[at + 1]! : program[at + 2]!
        continue
      case 0x3d:
        at += a >>> 0 >= x >>> 0 ? program[at + 1]! : program[at + 2]!
        continue
      case 0x45:
        at += (a & k) !== 0 ? program[at + 1]! : program[at + 2]!
        continue
      case 0x4d:
        at += (a & x) !== 0 ? program[at + 1]! : program[at + 2]!
        continue
      case 0x06:
        return k >>> 0
      case 0x16:
        return a >>> 0
      case 0x07:
        x = a
        continue
      case 0x87:
        a = x
        continue
      default:
        return 0
    }
  }
}

function extension(number: number, metadata: FilterMetadata | undefined): number | undefined {
  switch (number) {
    case extensions.packetType:
      // PACKET_HOST and PACKET_OUTGOING of linux/if_packet.h.
      return metadata?.direction === undefined ? undefined : metadata.direction === 'outbound' ? 4 : 0
    case extensions.interfaceIndex:
      return metadata?.interface
    case extensions.protocol:
      return metadata?.protocol
    case extensions.vlanTagPresent:
      return metadata?.vlan === undefined ? 0 : 1
    case extensions.vlanTag:
      return metadata?.vlan?.tci ?? 0
    case extensions.vlanProtocol:
      return metadata?.vlan === undefined ? 0 : (metadata.vlan.protocol ?? 0x8100)
    default:
      return undefined
  }
}

/** Four numbers for each instruction: its operation, its branches in such numbers, and its constant. */
export function flatten(instructions: readonly Instruction[]): Int32Array {
  const flat = new Int32Array(instructions.length * 4)
  instructions.forEach(({ code, jt, jf, k }, index) => {
    flat.set([code, jt * 4, jf * 4, k | 0], index * 4)
  })
  return flat
}
