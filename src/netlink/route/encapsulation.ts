import { formatIpv6, parseIpv6 } from '../../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireInteger } from '../../errors/index.js'
import {
  type AttributeCursor,
  bytes,
  type Codec,
  field,
  ipv4,
  ipv6,
  littleEndian,
  type MessageWriter,
  malformed,
  readTable,
  type TableValues,
  table,
  u8,
  u16be,
  writeTable,
} from '../core/index.js'

/** Network byte order. */
const u64be: Codec<bigint> = {
  write: (writer, type, name, value) => {
    if (typeof value !== 'bigint' || value < 0n || value >= 1n << 64n) {
      throw invalidArgumentValue(name, value, 'must be a bigint that fits 64 bits')
    }
    const number = new Uint8Array(8)
    new DataView(number.buffer).setBigUint64(0, value)
    writer.bytes(type, name, number)
  },
  read: cursor => {
    const number = cursor.bytes()
    if (number.length < 8) throw malformed('a tunnel id is too short')
    return new DataView(number.buffer).getBigUint64(0)
  },
}

/** Label stack entries, RFC 3032 section 2.1: outermost first, the last has the bottom bit. */
const labelStack: Codec<readonly number[]> = {
  write: (writer, type, name, value) => {
    if (!Array.isArray(value) || value.length === 0)
      throw invalidArgumentType(name, 'an array of labels', value)
    const view = new DataView(new ArrayBuffer(4 * value.length))
    for (const [i, label] of value.entries()) {
      requireInteger(`${name}[${i}]`, label, 0, 0xf_ffff)
      view.setUint32(4 * i, (label << 12) | (i === value.length - 1 ? 0x100 : 0))
    }
    writer.bytes(type, name, new Uint8Array(view.buffer))
  },
  read: cursor => {
    const stack = cursor.bytes()
    const view = new DataView(stack.buffer)
    return Array.from({ length: stack.length >> 2 }, (_, i) => view.getUint32(4 * i) >>> 12)
  },
}

const segmentModes = { inline: 0, encap: 1, l2encap: 2, 'encap-reduced': 3, 'l2encap-reduced': 4 } as const

export interface SegmentRouting {
  /** include/uapi/linux/seg6_iptunnel.h, SEG6_IPTUN_MODE_*. */
  readonly mode: keyof typeof segmentModes
  /** In the order in which they are visited. */
  readonly segments: readonly string[]
}

// struct seg6_iptunnel_encap: the mode, then a segment routing header (RFC 8754 section 2), segments backwards.
const segmentHeaderAt = 4
const segmentsAt = segmentHeaderAt + 8
const segmentRouting: Codec<SegmentRouting> = {
  write: (writer, type, name, value) => {
    const { mode, segments } = value ?? {}
    if (!Object.hasOwn(segmentModes, mode)) {
      throw invalidArgumentValue(
        `${name}.mode`,
        mode,
        `must be one of ${Object.keys(segmentModes).join(', ')}`,
      )
    }
    if (!Array.isArray(segments) || segments.length === 0 || segments.length > 127) {
      throw invalidArgumentType(`${name}.segments`, 'an array of 1 to 127 addresses', segments)
    }
    const addresses = segments.map(segment => parseIpv6(segment)).reverse()
    // Inline, the packet's own destination is the last.
    if (mode === 'inline') addresses.unshift(new Uint8Array(16))
    const struct = new Uint8Array(segmentsAt + 16 * addresses.length)
    new DataView(struct.buffer).setInt32(0, segmentModes[mode], littleEndian)
    struct[segmentHeaderAt + 1] = 2 * addresses.length
    struct[segmentHeaderAt + 2] = 4
    struct[segmentHeaderAt + 3] = addresses.length - 1
    struct[segmentHeaderAt + 4] = addresses.length - 1
    for (const [i, address] of addresses.entries()) struct.set(address, segmentsAt + 16 * i)
    writer.bytes(type, name, struct)
  },
  read: cursor => {
    const struct = cursor.bytes()
    if (struct.length < segmentsAt) throw malformed('a segment routing header is too short')
    const number = new DataView(struct.buffer).getInt32(0, littleEndian)
    const modes = Object.keys(segmentModes) as SegmentRouting['mode'][]
    const segments: string[] = []
    const last = struct[segmentHeaderAt + 4]!
    for (let i = last; i >= (number === segmentModes.inline ? 1 : 0); i--) {
      const at = segmentsAt + 16 * i
      if (at + 16 > struct.length) throw malformed('a segment routing header has fewer segments than it says')
      segments.push(formatIpv6(struct, at))
    }
    return { mode: modes[number] ?? (String(number) as SegmentRouting['mode']), segments }
  },
}

/** include/uapi/linux/lwtunnel.h, mpls_iptunnel.h, seg6_iptunnel.h: what a route can wrap packets in. */
export const encapsulations = {
  mpls: {
    number: 1,
    table: table('MPLS_IPTUNNEL_', { labels: field(1, 'DST', labelStack), ttl: field(2, 'TTL', u8) }),
  },
  ip: {
    number: 2,
    table: table('LWTUNNEL_IP_', {
      id: field(1, 'ID', u64be),
      destination: field(2, 'DST', ipv4),
      source: field(3, 'SRC', ipv4),
      ttl: field(4, 'TTL', u8),
      tos: field(5, 'TOS', u8),
      flags: field(6, 'FLAGS', u16be),
      options: field(8, 'OPTS', bytes),
    }),
  },
  ip6: {
    number: 4,
    table: table('LWTUNNEL_IP6_', {
      id: field(1, 'ID', u64be),
      destination: field(2, 'DST', ipv6),
      source: field(3, 'SRC', ipv6),
      hopLimit: field(4, 'HOPLIMIT', u8),
      trafficClass: field(5, 'TC', u8),
      flags: field(6, 'FLAGS', u16be),
      options: field(8, 'OPTS', bytes),
    }),
  },
  seg6: {
    number: 5,
    table: table('SEG6_IPTUNNEL_', { routing: field(1, 'SRH', segmentRouting) }),
  },
} as const

type Tables = { [K in keyof typeof encapsulations]: TableValues<(typeof encapsulations)[K]['table']> }

/** What packets are wrapped in on their way: `{ mpls: { labels: [100] } }`. Exactly one member. */
export type Encapsulation = {
  [K in keyof Tables]: { [N in K]: Tables[K] } & { [N in Exclude<keyof Tables, K>]?: undefined }
}[keyof Tables]

/** @throws TypeError, RangeError */
export function writeEncapsulation(
  writer: MessageWriter,
  types: { type: number; value: number },
  encapsulation: Encapsulation | undefined,
): void {
  if (encapsulation === undefined) return
  const given = Object.entries(encapsulation ?? {}).filter(([, value]) => value !== undefined)
  const name = given[0]?.[0]
  if (given.length !== 1 || name === undefined || !Object.hasOwn(encapsulations, name)) {
    throw invalidArgumentType(
      'encapsulation',
      `one of ${Object.keys(encapsulations).join(', ')}`,
      encapsulation,
    )
  }
  const { number, table } = encapsulations[name as keyof Tables]
  writer.nested(types.value, 'encapsulation', nest =>
    writeTable(nest, table, given[0]![1] as Record<string, unknown>, name),
  )
  // struct attribute of 16 bits, enum lwtunnel_encap_types
  writer.u16(types.type, 'encapsulation', number)
}

/** `undefined` for one that is not known here. */
export function readEncapsulation(type: number, cursor: AttributeCursor): Encapsulation | undefined {
  for (const [name, { number, table }] of Object.entries(encapsulations)) {
    if (number === type) return { [name]: readTable(table, cursor).values } as unknown as Encapsulation
  }
  return undefined
}
