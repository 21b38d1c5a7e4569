import { bool8, bool32, field, nest, table, u32 } from '../../../core/index.js'
import { rateCodec } from '../rate.js'

/** A queue for each flow, paced. include/uapi/linux/pkt_sched.h, enum TCA_FQ_* */
export const fq = nest(
  table('TCA_FQ_', {
    /** Packets in all, and of one flow. */
    limit: field(1, 'PLIMIT', u32),
    flowLimit: field(2, 'FLOW_PLIMIT', u32),
    /** Bytes of one turn, and of a flow's first. */
    quantum: field(3, 'QUANTUM', u32),
    initialQuantum: field(4, 'INITIAL_QUANTUM', u32),
    pacing: field(5, 'RATE_ENABLE', bool32),
    /** 2 ** 32 - 1 bytes a second: without limit. */
    flowMaxRate: field(7, 'FLOW_MAX_RATE', rateCodec),
    bucketsLog: field(8, 'BUCKETS_LOG', u32),
    refillDelayUs: field(9, 'FLOW_REFILL_DELAY', u32),
    orphanMask: field(10, 'ORPHAN_MASK', u32),
    lowRateThreshold: field(11, 'LOW_RATE_THRESHOLD', rateCodec),
    markThresholdUs: field(12, 'CE_THRESHOLD', u32),
    timerSlackNs: field(13, 'TIMER_SLACK', u32),
    horizonUs: field(14, 'HORIZON', u32),
    /** Drops what is beyond the horizon rather than to let it wait. */
    horizonDrop: field(15, 'HORIZON_DROP', bool8),
  }),
)
