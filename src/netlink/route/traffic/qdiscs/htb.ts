import { requireInteger, requireOptions } from '../../../../errors/index.js'
import { bytes, type Codec, field, littleEndian, presence, table, u32, u64 } from '../../../core/index.js'
import { bytesOf, parsePositiveRate, type Rate, readRate, ticksOf, writeRateSpec } from '../rate.js'
import { structBytes, structOf, words } from '../struct.js'

/** Classes that share a link, and lend each other what they do not need. struct tc_htb_glob */
export interface HtbSettings {
  /** The class of what no filter classifies: the part behind the colon. 0: it is not held back at all. */
  defaultClass?: number | undefined
  /** A class without `quantum` has its rate divided by this. Default 10. */
  rateToQuantum?: number | undefined
  /** Packets that may wait of those that are in no class. */
  directQueueLength?: number | undefined
}

/** struct tc_htb_opt */
export interface HtbClassSettings {
  /** What it has for sure, … */
  rate: Rate
  /** … and with what others lend. Default: `rate`. */
  ceil?: Rate | undefined
  /** Bytes that may go at once, at either. Read, they are about what was set. */
  burst?: number | undefined
  ceilBurst?: number | undefined
  /** Bytes of one turn among classes that borrow. 0: the kernel's choice. */
  quantum?: number | undefined
  /** 0 to 7; lower ones borrow first. */
  priority?: number | undefined
}

/** enum TCA_HTB_* */
const attributes = table('TCA_HTB_', {
  parameters: field(1, 'PARMS', bytes),
  init: field(2, 'INIT', bytes),
  directQueueLength: field(5, 'DIRECT_QLEN', u32),
  rate: field(6, 'RATE64', u64),
  ceil: field(7, 'CEIL64', u64),
  offload: field(9, 'OFFLOAD', presence),
})
const { parameters, init, directQueueLength, rate, ceil } = attributes.fields

/** TC_HTB_PROTOVER */
const protocolVersion = 3
/** What tc takes for the largest packet when it chooses a burst. */
const usualPacket = 1600

export const htb: Codec<HtbSettings> = {
  table: attributes,
  write: (writer, type, name, value) => {
    const options = requireOptions(name, value, ['defaultClass', 'rateToQuantum', 'directQueueLength'])
    const { defaultClass = 0, rateToQuantum = 10 } = options
    requireInteger(`${name}.defaultClass`, defaultClass, 0, 0xffff)
    requireInteger(`${name}.rateToQuantum`, rateToQuantum, 1, 0xffff_ffff)
    writer.nested(type, name, nest => {
      nest.bytes(init.type, '', words(protocolVersion, rateToQuantum, defaultClass, 0, 0))
      if (options.directQueueLength !== undefined) {
        nest.u32(directQueueLength.type, 'directQueueLength', options.directQueueLength)
      }
    })
  },
  read: outer => {
    const settings: HtbSettings = {}
    const cursor = outer.nested()
    while (cursor.next()) {
      if (cursor.type === init.type) {
        settings.rateToQuantum = cursor.u32(4)
        settings.defaultClass = cursor.u32(8)
      } else if (cursor.type === directQueueLength.type) settings.directQueueLength = cursor.u32()
    }
    return settings
  },
}

export const htbClass: Codec<HtbClassSettings> = {
  table: attributes,
  write: (writer, type, name, value) => {
    const options = requireOptions(name, value, ['rate', 'ceil', 'burst', 'ceilBurst', 'quantum', 'priority'])
    const bytesPerSecond = parsePositiveRate(`${name}.rate`, options.rate)
    const most = options.ceil === undefined ? bytesPerSecond : parsePositiveRate(`${name}.ceil`, options.ceil)
    const usual = (rate: bigint) => usualPacket + Number(rate / 1_000_000_000n)
    const { burst = usual(bytesPerSecond), ceilBurst = usual(most), quantum = 0, priority = 0 } = options
    requireInteger(`${name}.burst`, burst, 0, 0xffff_ffff)
    requireInteger(`${name}.ceilBurst`, ceilBurst, 0, 0xffff_ffff)
    requireInteger(`${name}.quantum`, quantum, 0, 0xffff_ffff)
    requireInteger(`${name}.priority`, priority, 0, 7)
    writer.nested(type, name, nest => {
      const struct = structBytes(44, view => {
        writeRateSpec(view, 0, bytesPerSecond)
        writeRateSpec(view, 12, most)
        view.setUint32(24, ticksOf(burst, bytesPerSecond), littleEndian)
        view.setUint32(28, ticksOf(ceilBurst, most), littleEndian)
        view.setUint32(32, quantum, littleEndian)
        view.setUint32(40, priority, littleEndian)
      })
      nest.bytes(parameters.type, '', struct)
      if (bytesPerSecond >= 1n << 32n) nest.u64(rate.type, 'rate', bytesPerSecond)
      if (most >= 1n << 32n) nest.u64(ceil.type, 'ceil', most)
    })
  },
  read: outer => {
    let view: DataView = new DataView(new ArrayBuffer(44))
    let rate64: bigint | undefined
    let ceil64: bigint | undefined
    const cursor = outer.nested()
    while (cursor.next()) {
      if (cursor.type === parameters.type) view = structOf(cursor, 44)
      else if (cursor.type === rate.type) rate64 = cursor.u64()
      else if (cursor.type === ceil.type) ceil64 = cursor.u64()
    }
    const number = (at: number) => view.getUint32(at, littleEndian)
    const bytesPerSecond = rate64 ?? BigInt(number(8))
    const most = ceil64 ?? BigInt(number(20))
    return {
      rate: readRate(bytesPerSecond),
      ceil: readRate(most),
      burst: bytesOf(number(24), bytesPerSecond),
      ceilBurst: bytesOf(number(28), most),
      quantum: number(32),
      priority: number(40),
    }
  },
}
