import { describeDifference, isSame } from './difference.js'
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
        return describeDifference(name, actual[name], value)
      continue
    }
    const settings = (actual[name] ?? {}) as Record<string, unknown>
    for (const [setting, expected] of Object.entries(value as Record<string, unknown>)) {
      if (expected === undefined || table.fields[setting]?.writeOnly) continue
      if (!isSame(settings[setting], expected))
        return describeDifference(`${name}.${setting}`, settings[setting], expected)
    }
  }
  return undefined
}

function includesAll(actual: unknown, wanted: unknown): boolean {
  return (wanted as readonly string[]).every(name => (actual as readonly string[]).includes(name))
}
