import { requireInteger, requireOptions } from '../../../../errors/index.js'
import { type Codec, littleEndian } from '../../../core/index.js'
import { structOf, words } from '../struct.js'

/** struct tc_fifo_qopt */
export interface FifoSettings {
  /** Packets for `pfifo`, bytes for `bfifo`. Default: what the link's queue length says. */
  limit?: number | undefined
}

export const fifo: Codec<FifoSettings> = {
  write: (writer, type, name, value) => {
    const { limit } = requireOptions(name, value, ['limit'])
    if (limit !== undefined)
      writer.bytes(type, name, words(requireInteger(`${name}.limit`, limit, 0, 0xffff_ffff)))
  },
  read: cursor => ({ limit: structOf(cursor, 4).getUint32(0, littleEndian) }),
  examples: [{ limit: 0 }, { limit: 0xffff_ffff }],
}
