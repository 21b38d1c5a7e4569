import { invalidArgumentValue } from '../../../../errors/index.js'
import {
  type AttributeCursor,
  littleEndian,
  type MessageWriter,
  type Table,
  wordOf,
} from '../../../core/index.js'
import { structBytes, structOf } from '../struct.js'

/** What happens to a packet after an action. include/uapi/linux/pkt_cls.h, TC_ACT_* */
export const verdicts = {
  /** Goes on with the next filter. */
  continue: -1,
  /** Passes, as it is classified. */
  pass: 0,
  reclassify: 1,
  drop: 2,
  /** Goes on with the next action. */
  pipe: 3,
  /** Is taken by somebody else. */
  stolen: 4,
  trap: 8,
} as const

export type Verdict = keyof typeof verdicts

/** One kind of action: how its settings stand in TCA_ACT_OPTIONS. Links are indexes. */
export interface ActionKind {
  /** The kernel's. */
  readonly name: string
  readonly table: Table
  /** The options that it takes, beside `kind`. */
  readonly options: readonly string[]
  write(writer: MessageWriter, path: string, options: Record<string, unknown>): void
  read(cursor: AttributeCursor): Record<string, unknown>
}

/** Bytes of what the structs of all actions begin with: tc_gen. */
const headLength = 20

/** tc_gen with a verdict, and more numbers behind it. */
export function actionStruct(verdict: number, ...numbers: number[]): Uint8Array {
  return structBytes(headLength + 4 * numbers.length, view => {
    view.setInt32(8, verdict, littleEndian)
    for (const [i, number] of numbers.entries()) view.setInt32(headLength + 4 * i, number, littleEndian)
  })
}

export function readActionStruct(
  cursor: AttributeCursor,
  numbers: number,
): { verdict: number; numbers: number[] } {
  const view = structOf(cursor, headLength + 4 * numbers)
  return {
    verdict: view.getInt32(8, littleEndian),
    numbers: Array.from({ length: numbers }, (_, i) => view.getInt32(headLength + 4 * i, littleEndian)),
  }
}

export function readVerdict(parameters: Uint8Array | undefined): { verdict?: Verdict } {
  if (!parameters || parameters.length < headLength) return {}
  const view = new DataView(parameters.buffer, parameters.byteOffset, parameters.byteLength)
  return { verdict: wordOf(verdicts, view.getInt32(8, littleEndian)) }
}

/** A struct with a verdict, and a number for what the action does. */
export function readOperation(
  parameters: Uint8Array | undefined,
  operations: Readonly<Record<string, number>>,
): { operation?: string; verdict?: Verdict } {
  if (!parameters || parameters.length < headLength + 4) return {}
  const view = new DataView(parameters.buffer, parameters.byteOffset, parameters.byteLength)
  return {
    operation: wordOf(operations, view.getInt32(headLength, littleEndian)),
    verdict: wordOf(verdicts, view.getInt32(8, littleEndian)),
  }
}

export function verdictOf(path: string, verdict: unknown, usual: Verdict): number {
  if (verdict === undefined) return verdicts[usual]
  if (typeof verdict === 'string' && Object.hasOwn(verdicts, verdict)) return verdicts[verdict as Verdict]
  throw invalidArgumentValue(`${path}.verdict`, verdict, `must be one of ${Object.keys(verdicts).join(', ')}`)
}

export function wordOption<W extends string>(
  path: string,
  value: unknown,
  words: Readonly<Record<W, number>>,
): number {
  if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value as W]
  throw invalidArgumentValue(path, value, `must be one of ${Object.keys(words).join(', ')}`)
}
