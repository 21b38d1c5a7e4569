import {
  invalidArgumentType,
  invalidArgumentValue,
  requireInteger,
  requireOptions,
} from '../../../../errors/index.js'
import {
  type AttributeCursor,
  bytes,
  type Codec,
  field,
  littleEndian,
  nest,
  table,
  u32,
  u64,
} from '../../../core/index.js'
import { parseRate, type Rate, rate32, readRate } from '../rate.js'
import {
  fromMicroseconds,
  fromPercent,
  structBytes,
  structOf,
  toMicroseconds,
  toPercent,
  words,
} from '../struct.js'

/** Losses that come in bursts. */
export type NetemLossModel =
  /** Four states; the probabilities of going from one to another. */
  | {
      kind: 'states'
      p13Percent: number
      p31Percent?: number | undefined
      p32Percent?: number | undefined
      p23Percent?: number | undefined
      p14Percent?: number | undefined
    }
  /** Gilbert and Elliott: a good and a bad state. */
  | {
      kind: 'gilbert-elliott'
      goodToBadPercent: number
      badToGoodPercent: number
      /** Default 100. */
      lossInBadPercent?: number | undefined
      /** Default 0. */
      lossInGoodPercent?: number | undefined
    }

/** Packets leave only in time slots. */
export interface NetemSlot {
  minDelayUs: number
  /** Default: `minDelayUs`. */
  maxDelayUs?: number | undefined
  /** What one may carry; 0 is any number. */
  maxPackets?: number | undefined
  maxBytes?: number | undefined
}

/** A bad network. struct tc_netem_qopt and kin. Times have up to three digits behind the point. */
export interface NetemSettings {
  /** Packets that may wait. Default 1000. */
  limit?: number | undefined
  delayUs?: number | undefined
  jitterUs?: number | undefined
  /** How much a packet's delay depends on the one before; and so for the others. */
  delayCorrelationPercent?: number | undefined
  /** A table of the jitter's distribution, as tc has them in files `*.dist`. Not reported. */
  distribution?: Int16Array | undefined
  lossPercent?: number | undefined
  lossCorrelationPercent?: number | undefined
  /** Instead of `lossPercent`. */
  lossModel?: NetemLossModel | undefined
  /** Marks packets rather than to lose them. */
  ecn?: boolean | undefined
  duplicatePercent?: number | undefined
  duplicateCorrelationPercent?: number | undefined
  corruptPercent?: number | undefined
  corruptCorrelationPercent?: number | undefined
  /** These go without delay, … */
  reorderPercent?: number | undefined
  reorderCorrelationPercent?: number | undefined
  /** … each time after so many that did not. Default 1 with `reorderPercent`. */
  reorderGap?: number | undefined
  rate?: Rate | undefined
  /** Bytes that each packet counts more. */
  packetOverhead?: number | undefined
  /** Packets are sent in cells of so many bytes, each of which counts more. */
  cellBytes?: number | undefined
  cellOverhead?: number | undefined
  slot?: NetemSlot | undefined
}

/** enum TCA_NETEM_*, NETEM_LOSS_* */
const lossTable = table('NETEM_LOSS_', {
  states: field(1, 'GI', bytes),
  gilbertElliott: field(2, 'GE', bytes),
})
const attributes = table('TCA_NETEM_', {
  correlation: field(1, 'CORR', bytes),
  distribution: field(2, 'DELAY_DIST', bytes),
  reorder: field(3, 'REORDER', bytes),
  corrupt: field(4, 'CORRUPT', bytes),
  loss: field(5, 'LOSS', nest(lossTable)),
  rate: field(6, 'RATE', bytes),
  ecn: field(7, 'ECN', u32),
  rate64: field(8, 'RATE64', u64),
  latency: field(10, 'LATENCY64', u64),
  jitter: field(11, 'JITTER64', u64),
  slot: field(12, 'SLOT', bytes),
})
const types = attributes.fields

/** Bytes of struct tc_netem_qopt. */
const headLength = 24
const keys = [
  'limit',
  'delayUs',
  'jitterUs',
  'delayCorrelationPercent',
  'distribution',
  'lossPercent',
  'lossCorrelationPercent',
  'lossModel',
  'ecn',
  'duplicatePercent',
  'duplicateCorrelationPercent',
  'corruptPercent',
  'corruptCorrelationPercent',
  'reorderPercent',
  'reorderCorrelationPercent',
  'reorderGap',
  'rate',
  'packetOverhead',
  'cellBytes',
  'cellOverhead',
  'slot',
] as const

export const netem: Codec<NetemSettings> = {
  table: attributes,
  write: (writer, type, name, value) => {
    const o = requireOptions(name, value, keys)
    const share = (key: Extract<keyof NetemSettings, `${string}Percent`>) =>
      fromPercent(`${name}.${key}`, o[key])
    const { limit = 1000, reorderGap = o.reorderPercent ? 1 : 0, distribution, ecn } = o
    requireInteger(`${name}.limit`, limit, 0, 0xffff_ffff)
    requireInteger(`${name}.reorderGap`, reorderGap, 0, 0xffff_ffff)
    if (ecn !== undefined && typeof ecn !== 'boolean')
      throw invalidArgumentType(`${name}.ecn`, 'a boolean', ecn)
    if (distribution !== undefined && !(distribution instanceof Int16Array)) {
      throw invalidArgumentType(`${name}.distribution`, 'an Int16Array', distribution)
    }
    if (o.lossModel !== undefined && o.lossPercent !== undefined) {
      throw invalidArgumentValue(`${name}.lossModel`, o.lossModel, 'takes the place of lossPercent')
    }
    const head = words(0, limit, share('lossPercent'), reorderGap, share('duplicatePercent'), 0)
    writer.nested(type, name, inner => {
      inner.fixed({
        length: headLength,
        write: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, headLength).set(head),
      })
      inner.u64(types.latency.type, 'delayUs', fromMicroseconds(`${name}.delayUs`, o.delayUs))
      inner.u64(types.jitter.type, 'jitterUs', fromMicroseconds(`${name}.jitterUs`, o.jitterUs))
      const correlations = [
        share('delayCorrelationPercent'),
        share('lossCorrelationPercent'),
        share('duplicateCorrelationPercent'),
      ]
      if (correlations.some(each => each > 0)) inner.bytes(types.correlation.type, '', words(...correlations))
      if (distribution) {
        const { buffer, byteOffset, byteLength } = distribution
        inner.bytes(types.distribution.type, 'distribution', new Uint8Array(buffer, byteOffset, byteLength))
      }
      if (o.reorderPercent !== undefined) {
        const pair = words(share('reorderPercent'), share('reorderCorrelationPercent'))
        inner.bytes(types.reorder.type, 'reorderPercent', pair)
      }
      if (o.corruptPercent !== undefined) {
        const pair = words(share('corruptPercent'), share('corruptCorrelationPercent'))
        inner.bytes(types.corrupt.type, 'corruptPercent', pair)
      }
      if (o.lossModel !== undefined) {
        const [model, numbers] = lossNumbers(`${name}.lossModel`, o.lossModel)
        inner.nested(types.loss.type, 'lossModel', loss => loss.bytes(model, '', words(...numbers)))
      }
      if (ecn !== undefined) inner.u32(types.ecn.type, 'ecn', ecn ? 1 : 0)
      if (o.rate !== undefined) {
        const { packetOverhead = 0, cellBytes = 0, cellOverhead = 0 } = o
        const rate = parseRate(`${name}.rate`, o.rate)
        const struct = structBytes(16, view => {
          view.setUint32(0, rate32(rate), littleEndian)
          view.setInt32(
            4,
            requireInteger(`${name}.packetOverhead`, packetOverhead, -(2 ** 31), 2 ** 31 - 1),
            littleEndian,
          )
          view.setUint32(8, requireInteger(`${name}.cellBytes`, cellBytes, 0, 0xffff_ffff), littleEndian)
          view.setInt32(
            12,
            requireInteger(`${name}.cellOverhead`, cellOverhead, -(2 ** 31), 2 ** 31 - 1),
            littleEndian,
          )
        })
        if (rate >= 1n << 32n) inner.u64(types.rate64.type, 'rate', rate)
        inner.bytes(types.rate.type, 'rate', struct)
      } else if (
        o.packetOverhead !== undefined ||
        o.cellBytes !== undefined ||
        o.cellOverhead !== undefined
      ) {
        throw invalidArgumentValue(`${name}.rate`, o.rate, 'is needed with overheads and cells')
      }
      if (o.slot !== undefined) inner.bytes(types.slot.type, 'slot', slotBytes(`${name}.slot`, o.slot))
    })
  },
  read: outer => {
    const head = structOf(outer, headLength)
    const number = (at: number) => head.getUint32(at, littleEndian)
    const settings: NetemSettings = {
      limit: number(4),
      // In ticks, for kernels that do not say it in nanoseconds.
      delayUs: (number(0) * 64) / 1000,
      jitterUs: (number(20) * 64) / 1000,
      lossPercent: toPercent(number(8)),
      duplicatePercent: toPercent(number(16)),
      reorderGap: number(12),
    }
    readAttributes(outer.nested(headLength), settings)
    return settings
  },
}

function lossNumbers(name: string, model: NetemLossModel): [type: number, numbers: number[]] {
  if (model?.kind === 'states') {
    const o = requireOptions(name, model, [
      'kind',
      'p13Percent',
      'p31Percent',
      'p32Percent',
      'p23Percent',
      'p14Percent',
    ])
    const share = (key: 'p13Percent' | 'p31Percent' | 'p32Percent' | 'p23Percent' | 'p14Percent') =>
      fromPercent(`${name}.${key}`, o[key])
    // Without more: two states, of which the second is left as it was entered.
    const p31 = o.p31Percent === undefined ? 0xffff_ffff - share('p13Percent') : share('p31Percent')
    const p23 = o.p23Percent === undefined ? 0xffff_ffff : share('p23Percent')
    return [
      lossTable.fields.states.type,
      [share('p13Percent'), p31, share('p32Percent'), share('p14Percent'), p23],
    ]
  }
  if (model?.kind === 'gilbert-elliott') {
    const o = requireOptions(name, model, [
      'kind',
      'goodToBadPercent',
      'badToGoodPercent',
      'lossInBadPercent',
      'lossInGoodPercent',
    ])
    return [
      lossTable.fields.gilbertElliott.type,
      [
        fromPercent(`${name}.goodToBadPercent`, o.goodToBadPercent),
        fromPercent(`${name}.badToGoodPercent`, o.badToGoodPercent),
        // The kernel has the share of those that get through.
        0xffff_ffff - fromPercent(`${name}.lossInBadPercent`, o.lossInBadPercent ?? 100),
        fromPercent(`${name}.lossInGoodPercent`, o.lossInGoodPercent),
      ],
    ]
  }
  throw invalidArgumentValue(
    `${name}.kind`,
    (model as NetemLossModel | undefined)?.kind,
    'must be states or gilbert-elliott',
  )
}

function slotBytes(name: string, slot: NetemSlot): Uint8Array {
  const o = requireOptions(name, slot, ['minDelayUs', 'maxDelayUs', 'maxPackets', 'maxBytes'])
  const { maxDelayUs = o.minDelayUs, maxPackets = 0, maxBytes = 0 } = o
  return structBytes(40, view => {
    view.setBigInt64(0, fromMicroseconds(`${name}.minDelayUs`, o.minDelayUs), littleEndian)
    view.setBigInt64(8, fromMicroseconds(`${name}.maxDelayUs`, maxDelayUs), littleEndian)
    view.setInt32(16, requireInteger(`${name}.maxPackets`, maxPackets, 0, 0x7fff_ffff), littleEndian)
    view.setInt32(20, requireInteger(`${name}.maxBytes`, maxBytes, 0, 0x7fff_ffff), littleEndian)
  })
}

function readAttributes(cursor: AttributeCursor, settings: NetemSettings): void {
  let rate64: bigint | undefined
  while (cursor.next()) {
    const view = structOf(cursor, 40)
    const number = (i: number) => view.getUint32(4 * i, littleEndian)
    const share = (i: number) => toPercent(number(i))
    switch (cursor.type) {
      case types.correlation.type:
        settings.delayCorrelationPercent = share(0)
        settings.lossCorrelationPercent = share(1)
        settings.duplicateCorrelationPercent = share(2)
        break
      case types.reorder.type:
        settings.reorderPercent = share(0)
        settings.reorderCorrelationPercent = share(1)
        break
      case types.corrupt.type:
        settings.corruptPercent = share(0)
        settings.corruptCorrelationPercent = share(1)
        break
      case types.loss.type:
        settings.lossModel = readLossModel(cursor.nested())
        break
      case types.rate.type:
        if (number(0) === 0) break
        settings.rate = readRate(rate64 ?? BigInt(number(0)))
        settings.packetOverhead = view.getInt32(4, littleEndian)
        settings.cellBytes = number(2)
        settings.cellOverhead = view.getInt32(12, littleEndian)
        break
      case types.rate64.type:
        rate64 = cursor.u64()
        if (settings.rate) settings.rate = readRate(rate64)
        break
      case types.ecn.type:
        settings.ecn = number(0) !== 0
        break
      case types.latency.type:
        settings.delayUs = toMicroseconds(cursor.u64())
        break
      case types.jitter.type:
        settings.jitterUs = toMicroseconds(cursor.u64())
        break
      case types.slot.type:
        settings.slot = {
          minDelayUs: toMicroseconds(view.getBigInt64(0, littleEndian)),
          maxDelayUs: toMicroseconds(view.getBigInt64(8, littleEndian)),
          maxPackets: view.getInt32(16, littleEndian),
          maxBytes: view.getInt32(20, littleEndian),
        }
        break
    }
  }
}

function readLossModel(cursor: AttributeCursor): NetemLossModel | undefined {
  while (cursor.next()) {
    const view = structOf(cursor, 20)
    const share = (i: number) => toPercent(view.getUint32(4 * i, littleEndian))
    if (cursor.type === lossTable.fields.states.type) {
      return {
        kind: 'states',
        p13Percent: share(0),
        p31Percent: share(1),
        p32Percent: share(2),
        p14Percent: share(3),
        p23Percent: share(4),
      }
    }
    if (cursor.type === lossTable.fields.gilbertElliott.type) {
      return {
        kind: 'gilbert-elliott',
        goodToBadPercent: share(0),
        badToGoodPercent: share(1),
        lossInBadPercent: toPercent(0xffff_ffff - view.getUint32(8, littleEndian)),
        lossInGoodPercent: share(3),
      }
    }
  }
  return undefined
}
