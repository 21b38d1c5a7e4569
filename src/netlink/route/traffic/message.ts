import {
  type FixedPart,
  littleEndian,
  MessageWriter,
  NLM_F,
  type Payload,
  type RawAttribute,
  type Request,
} from '../../core/index.js'
import type { TrafficStatistics } from './statistics.js'
import { readTrafficStatistics } from './statistics.js'

/** include/uapi/linux/rtnetlink.h, enum TCA_* */
export const TCA = { KIND: 1, OPTIONS: 2, STATS2: 7, CHAIN: 11, INGRESS_BLOCK: 13, EGRESS_BLOCK: 14 } as const

/** Bytes of struct tcmsg. */
const headerLength = 20

export interface TrafficHeader {
  link: number
  handle: number
  parent: number
  info: number
}

export function trafficHeader({ link, handle, parent, info }: TrafficHeader): FixedPart {
  return {
    length: headerLength,
    write(view, at) {
      view.setInt32(at + 4, link, littleEndian)
      view.setUint32(at + 8, handle, littleEndian)
      view.setUint32(at + 12, parent, littleEndian)
      view.setUint32(at + 16, info, littleEndian)
    },
  }
}

export function trafficRequest(
  type: number,
  flags: number,
  header: TrafficHeader,
  name: string,
  write?: (writer: MessageWriter) => void,
): Request {
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | flags,
    header: trafficHeader(header),
    name,
  })
  write?.(writer)
  return writer.finish()
}

export interface TrafficMessage extends TrafficHeader {
  kind: string
  /** The settings as they are read by a kind's codec; absent for kinds that nobody here knows. */
  settings: unknown
  statistics: TrafficStatistics | undefined
  chain: number | undefined
  raw: RawAttribute | undefined
}

type Reader = { read(cursor: ReturnType<Payload['attributes']>): unknown }

/** A message about a qdisc, a class or a filter. */
export function readTraffic(payload: Payload, kinds: Readonly<Record<string, Reader>>): TrafficMessage {
  const message: TrafficMessage = {
    link: payload.s32(4),
    handle: payload.u32(8),
    parent: payload.u32(12),
    info: payload.u32(16),
    kind: '',
    settings: undefined,
    statistics: undefined,
    chain: undefined,
    raw: undefined,
  }
  const cursor = payload.attributes(headerLength)
  while (cursor.next()) {
    if (cursor.type === TCA.KIND) message.kind = cursor.string()
    else if (cursor.type === TCA.STATS2) message.statistics = readTrafficStatistics(cursor.nested())
    else if (cursor.type === TCA.CHAIN) message.chain = cursor.u32()
    else if (cursor.type === TCA.OPTIONS) {
      // The kind is told before.
      const kind = Object.hasOwn(kinds, message.kind) ? kinds[message.kind] : undefined
      if (kind) message.settings = kind.read(cursor)
      else message.raw = cursor.raw()
    }
  }
  return message
}
