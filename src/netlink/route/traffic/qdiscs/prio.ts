import { invalidArgumentValue, requireInteger, requireOptions } from '../../../../errors/index.js'
import { type Codec, littleEndian } from '../../../core/index.js'
import { structBytes, structOf } from '../struct.js'

/** struct tc_prio_qopt: the first band goes first. */
export interface PrioSettings {
  /** 2 to 16. Default 3. */
  bands?: number | undefined
  /** Which band packets of each of the 16 priorities go to. */
  priorities?: readonly number[] | undefined
}

const usual = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]

export const prio: Codec<PrioSettings> = {
  write: (writer, type, name, value) => {
    const { bands = 3, priorities = usual } = requireOptions(name, value, ['bands', 'priorities'])
    requireInteger(`${name}.bands`, bands, 2, 16)
    if (!Array.isArray(priorities) || priorities.length !== 16) {
      throw invalidArgumentValue(`${name}.priorities`, priorities, 'must be an array of 16 bands')
    }
    const struct = structBytes(20, view => {
      view.setInt32(0, bands, littleEndian)
      for (const [i, band] of priorities.entries()) {
        view.setUint8(4 + i, requireInteger(`${name}.priorities[${i}]`, band, 0, bands - 1))
      }
    })
    writer.bytes(type, name, struct)
  },
  read: cursor => {
    const view = structOf(cursor, 20)
    return {
      bands: view.getInt32(0, littleEndian),
      priorities: Array.from({ length: 16 }, (_, i) => view.getUint8(4 + i)),
    }
  },
  examples: [{ bands: 4, priorities: [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3] }],
}
