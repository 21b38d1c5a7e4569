import { bool32, field, nest, table, u8, u32 } from '../../../core/index.js'

/** Fair queues that are kept short, RFC 8290. include/uapi/linux/pkt_sched.h, enum TCA_FQ_CODEL_* */
export const fqCodel = nest(
  table('TCA_FQ_CODEL_', {
    /** How long a packet may wait in the mean. */
    targetUs: field(1, 'TARGET', u32),
    /** Packets in all. */
    limit: field(2, 'LIMIT', u32),
    intervalUs: field(3, 'INTERVAL', u32),
    /** Marks packets rather than to drop them. */
    ecn: field(4, 'ECN', bool32),
    flows: field(5, 'FLOWS', u32),
    /** Bytes of one turn. */
    quantum: field(6, 'QUANTUM', u32),
    /** Marks what waited longer. */
    markThresholdUs: field(7, 'CE_THRESHOLD', u32),
    dropBatch: field(8, 'DROP_BATCH_SIZE', u32),
    memoryLimit: field(9, 'MEMORY_LIMIT', u32),
    markSelector: field(10, 'CE_THRESHOLD_SELECTOR', u8),
    markMask: field(11, 'CE_THRESHOLD_MASK', u8),
  }),
)
