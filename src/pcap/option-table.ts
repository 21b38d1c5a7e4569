import { invalidArgumentType, outOfRange, requireInteger } from '../errors/index.js'
import { CaptureFileError } from './capture-error.js'
import type { OptionCodec } from './option-codecs.js'

/** An option of a block that no name is known for: its code, and its value as it stands in the file. */
export interface RawOption {
  code: number
  value: Uint8Array
}

export interface OneOption<T> {
  code: number
  codec: OptionCodec<T>
  many: false
  /** A value of another length makes the block unusable; otherwise it is kept raw. */
  vital: boolean
}

export interface ManyOptions<T> {
  code: number
  codec: OptionCodec<T>
  many: true
}

export type OptionTable = Readonly<Record<string, OneOption<unknown> | ManyOptions<unknown>>>

/** The values of a block's options; those in `options` have no name here. */
export type OptionValues<T> = {
  [K in keyof T]?:
    | (T[K] extends ManyOptions<infer V> ? readonly V[] : T[K] extends OneOption<infer V> ? V : never)
    | undefined
} & { options?: readonly RawOption[] | undefined }

export function one<T>(code: number, codec: OptionCodec<T>): OneOption<T> {
  return { code, codec, many: false, vital: false }
}

/** One without which the rest would be misread. */
export function vital<T>(code: number, codec: OptionCodec<T>): OneOption<T> {
  return { code, codec, many: false, vital: true }
}

export function many<T>(code: number, codec: OptionCodec<T>): ManyOptions<T> {
  return { code, codec, many: true }
}

/**
 * The options in `bytes[start, end)`, each: code (2), length (2), value padded to a multiple of 4; a code of 0 ends
 * them. Names are in the order in which they were met. What cannot be read is kept raw. Throws a
 * {@link CaptureFileError} when a length leads out of the block.
 */
export function decodeOptions<T extends OptionTable>(
  table: T,
  bytes: Uint8Array,
  start: number,
  end: number,
  little: boolean,
  fileOffset: number,
): OptionValues<T> {
  const values: Record<string, unknown> = {}
  const names = namesByCode(table)
  const kept = new Set<string>()
  eachOption(bytes, start, end, little, fileOffset, (code, value, at) => {
    const name = names.get(code)
    if (name !== undefined) {
      const option = table[name]!
      const { codec, many } = option
      const fits = codec.fits(value.length)
      if (!fits && !many && (option as OneOption<unknown>).vital)
        throw new CaptureFileError(fileOffset + at, `the option ${name} cannot have ${value.length} bytes`)
      const view = new DataView(value.buffer, value.byteOffset, value.length)
      const decoded = fits ? codec.decode(value, view, little) : undefined
      // Of several where there should be one the first counts, even if it is none that can be read.
      if (decoded !== undefined && (many || (!Object.hasOwn(values, name) && !kept.has(name)))) {
        if (!many) values[name] = decoded
        else if (Object.hasOwn(values, name)) (values[name] as unknown[]).push(decoded)
        else values[name] = [decoded]
        return
      }
      kept.add(name)
    }
    const option: RawOption = { code, value: value.slice() }
    if (Object.hasOwn(values, 'options')) (values.options as RawOption[]).push(option)
    else values.options = [option]
  })
  return values as OptionValues<T>
}

function eachOption(
  bytes: Uint8Array,
  start: number,
  end: number,
  little: boolean,
  fileOffset: number,
  take: (code: number, value: Uint8Array, at: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = start
  while (end - at >= 4) {
    const code = view.getUint16(at, little)
    const length = view.getUint16(at + 2, little)
    if (code === 0) return
    if (length > end - at - 4)
      throw new CaptureFileError(fileOffset + at, `an option of ${length} bytes leads out of its block`)
    take(code, bytes.subarray(at + 4, at + 4 + length), at)
    at += 4 + ((length + 3) & ~3)
  }
}

/** The options of `values` in the order of its names, without what ends them. Names not in the table are left out. */
export function encodeOptions(table: OptionTable, values: object, little: boolean): RawOption[] {
  const encoded: RawOption[] = []
  const repeated: RawOption[] = []
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (name === 'options') {
      const raw = checkRaw(value)
      const again = raw.findIndex(({ code }) => isNamedOnce(table, values, code))
      // Behind the one that has the name, since the first counts.
      repeated.push(...(again < 0 ? [] : raw.slice(again)))
      encoded.push(...(again < 0 ? raw : raw.slice(0, again)))
    }
    if (!Object.hasOwn(table, name)) continue
    const { code, codec, many } = table[name] as OneOption<unknown> | ManyOptions<unknown>
    if (many && !Array.isArray(value)) throw invalidArgumentType(name, 'an array', value)
    for (const one of many ? (value as unknown[]) : [value]) {
      encoded.push({ code, value: codec.encode(one, name, little) })
    }
  }
  return [...encoded, ...repeated]
}

function isNamedOnce(table: OptionTable, values: object, code: number): boolean {
  const name = namesByCode(table).get(code)
  return name !== undefined && !table[name]!.many && Object.hasOwn(values, name)
}

/** Bytes that {@link writeOptions} needs. */
export function optionsLength(options: readonly RawOption[]): number {
  let length = options.length > 0 ? 4 : 0
  for (const { value } of options) length += 4 + ((value.length + 3) & ~3)
  return length
}

/** Writes options and what ends them, over zeros; nothing where there are none. */
export function writeOptions(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  options: readonly RawOption[],
  little: boolean,
): void {
  let at = start
  for (const { code, value } of options) {
    view.setUint16(at, code, little)
    view.setUint16(at + 2, value.length, little)
    bytes.set(value, at + 4)
    at += 4 + ((value.length + 3) & ~3)
  }
}

function checkRaw(options: unknown): readonly RawOption[] {
  if (!Array.isArray(options)) throw invalidArgumentType('options', 'an array', options)
  for (const { code, value } of options as RawOption[]) {
    requireInteger('options.code', code, 1, 0xffff)
    if (!(value instanceof Uint8Array))
      throw invalidArgumentType('options.value', 'an instance of Uint8Array', value)
    if (value.length > 0xffff) throw outOfRange('options.value', 'at most 65535 bytes', value.length)
  }
  return options
}

const codes = new WeakMap<OptionTable, Map<number, string>>()

function namesByCode(table: OptionTable): Map<number, string> {
  let names = codes.get(table)
  if (names === undefined) {
    names = new Map(Object.entries(table).map(([name, { code }]) => [code, name]))
    codes.set(table, names)
  }
  return names
}
