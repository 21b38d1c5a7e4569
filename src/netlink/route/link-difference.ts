import { isIP } from 'node:net'
import { parseIpAddress } from '../../address/index.js'
import { findLinkKind, findPortKind } from './kinds/index.js'
import type { Link } from './link.js'
import type { ResolvedLink } from './link-request.js'

/**
 * Where a link is not what was asked for, in words: compared by what values mean, not by how they are written.
 * Settings that the kernel takes but does not report cannot be compared.
 */
export function firstDifference(link: Link, wanted: ResolvedLink): string | undefined {
  const actual = link as unknown as Record<string, unknown>
  for (const [name, value] of Object.entries(wanted)) {
    // The name was found, perhaps as an alternative one. What is made with it is not the link's.
    if (value === undefined || name === 'name' || name === 'peer' || name === 'in') continue
    const table = (findLinkKind(name) ?? findPortKind(name))?.settings
    if (!table) {
      if (name === 'altNames' ? !includesAll(actual[name], value) : !isSame(actual[name], value))
        return describe(name, actual[name], value)
      continue
    }
    const settings = (actual[name] ?? {}) as Record<string, unknown>
    for (const [setting, expected] of Object.entries(value as Record<string, unknown>)) {
      if (expected === undefined || table.fields[setting]?.writeOnly) continue
      if (!isSame(settings[setting], expected))
        return describe(`${name}.${setting}`, settings[setting], expected)
    }
  }
  return undefined
}

function describe(name: string, actual: unknown, wanted: unknown): string {
  return `${name} is ${show(actual)}, not ${show(wanted)}`
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each))
    : String(value)
}

function includesAll(actual: unknown, wanted: unknown): boolean {
  return (wanted as readonly string[]).every(name => (actual as readonly string[]).includes(name))
}

/** What the kernel does not report is what it has none of. */
function isSame(actual: unknown, wanted: unknown): boolean {
  if (actual === undefined || wanted === undefined || wanted === null) {
    return isNone(actual) && isNone(wanted)
  }
  if (typeof wanted === 'string') return typeof actual === 'string' && canonical(actual) === canonical(wanted)
  if (wanted instanceof Uint8Array) {
    return actual instanceof Uint8Array && Buffer.compare(actual, wanted) === 0
  }
  // The kernel keeps lists in an order of its own.
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every(item => actual.some(other => isSame(other, item)))
    )
  }
  if (typeof wanted === 'object') {
    // Bits that are not given are not asked for.
    return Object.entries(wanted).every(
      ([key, value]) => value === undefined || isSame((actual as Record<string, unknown>)[key], value),
    )
  }
  return actual === wanted
}

function isNone(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (typeof value === 'string') {
    return value === '' || (isIP(value) !== 0 && parseIpAddress(value).bytes.every(byte => byte === 0))
  }
  return value === undefined || value === null || value === false || value === 0
}

// MAC addresses and IP addresses may be written in several ways.
function canonical(text: string): string {
  if (isIP(text)) return parseIpAddress(text).bytes.join('.')
  return /^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$/i.test(text) ? text.toLowerCase().replaceAll('-', ':') : text
}
