import type { LinkNames } from './link-names.js'

/** Properties that hold the index of a link of the same namespace. */
const references = new Set(['link', 'master', 'bridge', 'via'])

/**
 * Netloom's objects as JSON: `bigint` as a decimal string, bytes as hexadecimal, `undefined` left out. Beside each index
 * of a link stands its name: `link: 2, linkName: 'eth0'`.
 */
export function toJson(value: unknown, names?: LinkNames): string {
  return JSON.stringify(plain(value, names))
}

function plain(value: unknown, names: LinkNames | undefined): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(item => plain(item, names))
  const object: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    object[key] = plain(item, names)
    if (typeof item !== 'number' || !names) continue
    // The link beneath may be in another namespace, where the index means another link.
    const here = key === 'lower' && !('lowerNamespaceId' in value && value.lowerNamespaceId !== undefined)
    if (!references.has(key) && !here) continue
    const name = names.find(item)
    if (name !== undefined) object[`${key}Name`] = name
  }
  return object
}
