import { invalidArgumentType, invalidArgumentValue } from '../../../../errors/index.js'
import { bytes, type Codec, field, reported, table, text, u16, u32 } from '../../../core/index.js'
import { actionList } from '../actions/index.js'
import { formatHandle, parseHandle } from '../handle.js'

/** A class, as `1:10`. */
export const classHandle: Codec<string | undefined> = {
  write: (writer, type, name, value) => writer.u32(type, name, parseHandle(name, value as string)),
  read: cursor => formatHandle(cursor.u32()),
  examples: ['1:', '1:ffff'],
}

/** Everything. include/uapi/linux/pkt_cls.h, enum TCA_MATCHALL_* */
export const matchall = table(
  'TCA_MATCHALL_',
  {
    class: field(1, 'CLASSID', classHandle),
    actions: field(2, 'ACT', actionList),
    /** Where hardware does it: bits of TCA_CLS_FLAGS_*. */
    flags: field(3, 'FLAGS', u32),
    count: reported(4, 'PCNT', bytes),
  },
  5,
)

/** Packets with a firewall's mark, which is the filter's handle. enum TCA_FW_* */
export const fw = table('TCA_FW_', {
  class: field(1, 'CLASSID', classHandle),
  /** Name of the link that they came from. */
  inputLink: field(3, 'INDEV', text),
  actions: field(4, 'ACT', actionList),
  /** The bits of the mark that count. */
  mask: field(5, 'MASK', u32),
})

const instructionCount = 4

/** Instructions of 8 bytes, and how many. */
const program: Codec<Uint8Array> = {
  write: (writer, type, name, value) => {
    if (!(value instanceof Uint8Array)) throw invalidArgumentType(name, 'a Uint8Array', value)
    if (value.length === 0 || value.length % 8 !== 0 || value.length > 4096 * 8) {
      throw invalidArgumentValue(name, value.length, 'must be 1 to 4096 instructions of 8 bytes')
    }
    writer.u16(instructionCount, '', value.length / 8)
    writer.bytes(type, name, value)
  },
  read: cursor => cursor.bytes(),
}

/** A program decides: classic, as bytes, or one that is loaded, by descriptor. enum TCA_BPF_* */
export const bpf = table('TCA_BPF_', {
  actions: field(1, 'ACT', actionList),
  class: field(3, 'CLASSID', classHandle),
  /** Instructions of 8 bytes each: struct sock_filter. */
  program: field(5, 'OPS', program),
  descriptor: field(6, 'FD', u32),
  name: field(7, 'NAME', text),
  /** 1: what the program says is the verdict. */
  flags: field(8, 'FLAGS', u32),
  hardwareFlags: field(9, 'FLAGS_GEN', u32),
  tag: reported(10, 'TAG', bytes),
  id: reported(11, 'ID', u32),
  instructions: reported(instructionCount, 'OPS_LEN', u16),
})
