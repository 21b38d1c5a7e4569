import { invalidArgumentType, requireInteger, requireOptions } from '../../../../errors/index.js'
import {
  bytes,
  type Codec,
  field,
  littleEndian,
  u32 as number32,
  reported,
  table,
  text,
} from '../../../core/index.js'
import { actionList } from '../actions/index.js'
import { structBytes, structOf } from '../struct.js'
import { classHandle } from './plain.js'

/** 32 bits somewhere in a packet. struct tc_u32_key */
export interface U32Match {
  value: number
  /** Default: all bits. */
  mask?: number | undefined
  /** Bytes from the beginning of the network header; a multiple of 4. */
  offset: number
}

const headLength = 16
const keyLength = 16
/** TC_U32_TERMINAL: the packet is classified. */
const terminal = 1

/** struct tc_u32_sel; one that classifies or acts ends the search. */
const matches: Codec<readonly U32Match[]> = {
  write: (writer, type, name, list) => {
    if (!Array.isArray(list)) throw invalidArgumentType(name, 'an array', list)
    requireInteger(`${name}.length`, list.length, 0, 128)
    const struct = structBytes(headLength + list.length * keyLength, view => {
      view.setUint8(0, terminal)
      view.setUint8(2, list.length)
      for (const [i, match] of list.entries()) {
        const path = `${name}[${i}]`
        const {
          value,
          mask = 0xffff_ffff,
          offset,
        } = requireOptions(path, match as U32Match, ['value', 'mask', 'offset'])
        const at = headLength + i * keyLength
        view.setUint32(at, requireInteger(`${path}.mask`, mask, 0, 0xffff_ffff))
        view.setUint32(at + 4, requireInteger(`${path}.value`, value, 0, 0xffff_ffff))
        view.setInt32(
          at + 8,
          requireInteger(`${path}.offset`, offset, -0x8000_0000, 0x7fff_ffff),
          littleEndian,
        )
      }
    })
    writer.bytes(type, name, struct)
  },
  read: cursor => {
    const count = structOf(cursor, headLength).getUint8(2)
    const view = structOf(cursor, headLength + count * keyLength)
    return Array.from({ length: count }, (_, i) => {
      const at = headLength + i * keyLength
      return {
        value: view.getUint32(at + 4),
        mask: view.getUint32(at),
        offset: view.getInt32(at + 8, littleEndian),
      }
    })
  },
  examples: [[], [{ value: 1, mask: 0xffff_ffff, offset: -4 }]],
}

/** Bits of packets. Its tables of hashes are filters too. include/uapi/linux/pkt_cls.h, enum TCA_U32_* */
export const u32 = table(
  'TCA_U32_',
  {
    class: field(1, 'CLASSID', classHandle),
    /** Which table it is in, and which it leads to. */
    hash: field(2, 'HASH', number32),
    link: field(3, 'LINK', number32),
    /** Of a table: how many rows it has. */
    divisor: field(4, 'DIVISOR', number32),
    matches: field(5, 'SEL', matches),
    actions: field(7, 'ACT', actionList),
    inputLink: field(8, 'INDEV', text),
    count: reported(9, 'PCNT', bytes),
    mark: field(10, 'MARK', bytes),
    flags: field(11, 'FLAGS', number32),
  },
  12,
)
