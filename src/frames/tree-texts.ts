/** What the numbers in fields mean, in words. */
import { etherTypes } from './ether-types.js'
import { ipProtocols } from './ip-protocols.js'

export type Numbers = Readonly<Record<string, number>>

export const named = (numbers: Numbers, digits: number) => (value: number) => {
  const name = Object.keys(numbers).find(key => numbers[key] === value)
  const text = digits === 0 ? String(value) : `0x${value.toString(16).padStart(digits, '0')}`
  return name ? `${text} (${name})` : text
}
export const optionNumbers = (table: Readonly<Record<string, readonly [number, unknown]>>): Numbers =>
  Object.fromEntries(Object.entries(table).map(([name, [number]]) => [name, number]))

export const etherType = named(etherTypes, 4)
export const protocol = named(ipProtocols, 0)

/** The names of the bits that are set. */
export const flagNames = (flags: Numbers, value: number): string =>
  Object.keys(flags)
    .filter(name => value & flags[name]!)
    .join(' ') || 'none'

/** `bits(16, 3, 'priority', 1, 'dropEligible', 12, 'id')` reads these from the highest bit on. */
export const bits =
  (total: number, ...parts: (number | string)[]) =>
  (value: number) => {
    let left = total
    const texts: string[] = []
    for (let i = 0; i < parts.length; i += 2) {
      left -= parts[i] as number
      if (parts[i + 1] !== '')
        texts.push(`${parts[i + 1]} ${Math.floor(value / 2 ** left) % 2 ** (parts[i] as number)}`)
    }
    return texts.join(', ')
  }
