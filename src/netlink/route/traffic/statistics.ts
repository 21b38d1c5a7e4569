import { type AttributeCursor, littleEndian } from '../../core/index.js'
import { structOf } from './struct.js'

/** What passed a qdisc, a class or an action. */
export interface TrafficStatistics {
  readonly bytes: bigint
  readonly packets: bigint
  readonly drops: bigint
  /** How often something had to wait for its turn. */
  readonly overlimits: bigint
  readonly requeues: bigint
  /** What waits now. */
  readonly backlogBytes: bigint
  readonly backlogPackets: bigint
}

/** include/uapi/linux/gen_stats.h */
export const TCA_STATS = { BASIC: 1, QUEUE: 3, PKT64: 8 } as const

/** TCA_STATS2: struct gnet_stats_basic, gnet_stats_queue. */
export function readTrafficStatistics(cursor: AttributeCursor): TrafficStatistics {
  const statistics = {
    bytes: 0n,
    packets: 0n,
    drops: 0n,
    overlimits: 0n,
    requeues: 0n,
    backlogBytes: 0n,
    backlogPackets: 0n,
  }
  let packets: bigint | undefined
  while (cursor.next()) {
    if (cursor.type === TCA_STATS.BASIC) {
      statistics.bytes = cursor.u64()
      statistics.packets = BigInt(cursor.u32(8))
    } else if (cursor.type === TCA_STATS.QUEUE) {
      const view = structOf(cursor, 20)
      const at = (i: number) => BigInt(view.getUint32(4 * i, littleEndian))
      statistics.backlogPackets = at(0)
      statistics.backlogBytes = at(1)
      statistics.drops = at(2)
      statistics.requeues = at(3)
      statistics.overlimits = at(4)
    } else if (cursor.type === TCA_STATS.PKT64) packets = cursor.u64()
  }
  // More than 32 bits of packets come apart.
  if (packets !== undefined) statistics.packets = packets
  return statistics
}
