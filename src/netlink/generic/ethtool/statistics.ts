import type { AttributeCursor, WaitOptions } from '../../core/index.js'
import type { DeviceReference } from '../device.js'
import type { GenericFamily } from '../generic-family.js'
import { bitset } from './bitset.js'
import { ETH_SS, ETHTOOL_MSG, STATS, STATS_GRP } from './constants.js'
import { askDevice } from './setting.js'
import { getStrings } from './strings.js'

/** Frames by their length. */
export interface FrameHistogram {
  readonly low: number
  readonly high: number
  readonly frames: bigint
}

/** A group of statistics that standards define (IEEE 802.3 clause 30, RFC 2819). */
export interface StatisticsGroup {
  /** `FramesTransmittedOK`: what the driver counts, by the standard's names. */
  readonly values: Readonly<Record<string, bigint>>
  readonly rxHistogram: readonly FrameHistogram[]
  readonly txHistogram: readonly FrameHistogram[]
}

/** By group: `eth-phy`, `eth-mac`, `eth-ctrl`, `rmon`, and what later kernels add. */
export async function getStatistics(
  family: GenericFamily,
  link: DeviceReference,
  options?: WaitOptions,
): Promise<Record<string, StatisticsGroup>> {
  const groupNames = (await getStrings(family, [ETH_SS.STATS_STD], undefined, options)).get(ETH_SS.STATS_STD)!
  const [message] = await askDevice(family, ETHTOOL_MSG.STATS_GET, link, {
    operation: 'get statistics',
    signal: options?.signal,
    headerType: STATS.HEADER,
    write: writer => {
      const all = Object.fromEntries(groupNames.map(name => [name, true]))
      bitset(ETH_SS.STATS_STD).write(writer, STATS.GROUPS, 'groups', all)
    },
  })
  const groups: RawGroup[] = []
  const cursor = message!.cursor()
  while (cursor.next()) if (cursor.type === STATS.GRP) groups.push(readGroup(cursor.nested()))
  const sets = [...new Set(groups.filter(group => group.values.size > 0).map(group => group.stringSet))]
  const names =
    sets.length > 0 ? await getStrings(family, sets, undefined, options) : new Map<number, string[]>()
  return Object.fromEntries(
    groups.map(({ id, stringSet, values, rxHistogram, txHistogram }) => [
      groupNames[id] ?? String(id),
      {
        values: Object.fromEntries(
          [...values].map(([number, value]) => [names.get(stringSet)?.[number] ?? String(number), value]),
        ),
        rxHistogram,
        txHistogram,
      },
    ]),
  )
}

interface RawGroup {
  id: number
  stringSet: number
  values: Map<number, bigint>
  rxHistogram: FrameHistogram[]
  txHistogram: FrameHistogram[]
}

function readGroup(cursor: AttributeCursor): RawGroup {
  const group: RawGroup = { id: 0, stringSet: 0, values: new Map(), rxHistogram: [], txHistogram: [] }
  while (cursor.next()) {
    if (cursor.type === STATS_GRP.ID) group.id = cursor.u32()
    else if (cursor.type === STATS_GRP.SS_ID) group.stringSet = cursor.u32()
    else if (cursor.type === STATS_GRP.STAT) {
      const inner = cursor.nested()
      while (inner.next()) group.values.set(inner.type, inner.u64())
    } else if (cursor.type === STATS_GRP.HIST_RX) group.rxHistogram.push(readBucket(cursor.nested()))
    else if (cursor.type === STATS_GRP.HIST_TX) group.txHistogram.push(readBucket(cursor.nested()))
  }
  return group
}

function readBucket(cursor: AttributeCursor): FrameHistogram {
  const bucket = { low: 0, high: 0, frames: 0n }
  while (cursor.next()) {
    if (cursor.type === STATS_GRP.HIST_BKT_LOW) bucket.low = cursor.u32()
    else if (cursor.type === STATS_GRP.HIST_BKT_HI) bucket.high = cursor.u32()
    else if (cursor.type === STATS_GRP.HIST_VAL) bucket.frames = cursor.u64()
  }
  return bucket
}
