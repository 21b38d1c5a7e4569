/** Options that several commands take. */
import type { IpFamily } from '../address/index.js'
import { UsageError } from './command.js'

export const json = { help: 'one JSON document: 64-bit numbers are strings, bytes are hexadecimal' } as const

export const inNamespace = {
  help: 'of another network namespace: its name, the id of a process in it, or a path',
  value: 'NAMESPACE',
  parse: (text: string) => text,
} as const

export const link = {
  help: 'only of this link',
  value: 'LINK',
  parse: (text: string) => text,
} as const

export const family = {
  help: '4 or 6',
  value: 'FAMILY',
  parse(text: string): IpFamily {
    if (text !== '4' && text !== '6') throw new UsageError('must be 4 or 6')
    return text === '4' ? 4 : 6
  },
} as const

export function integer(value: string, help: string, low: number, high: number) {
  return { help, value, parse: (text: string) => parseInteger(text, low, high) } as const
}

/** Tables of routes that have names; include/uapi/linux/rtnetlink.h, enum rt_class_t. */
export const tableNames = { default: 253, main: 254, local: 255 } as const

export function parseTable(text: string): number {
  if (Object.hasOwn(tableNames, text)) return tableNames[text as keyof typeof tableNames]
  return parseInteger(text, 1, 0xffff_ffff)
}

export function parseInteger(text: string, low: number, high: number): number {
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN
  if (!(number >= low && number <= high)) throw new UsageError(`must be a number from ${low} to ${high}`)
  return number
}

/** A parser of one of these words. */
export function oneOf<const T extends string>(words: readonly T[]): (text: string) => T {
  return text => {
    const found = words.find(word => word === text)
    if (found === undefined) throw new UsageError(`must be one of ${words.join(', ')}`)
    return found
  }
}
