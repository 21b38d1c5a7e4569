import { invalidArgumentType, requireInteger } from '../../errors/index.js'

/** How links are referred to: by name, by index, or as a link. */
export type LinkReference = string | number | { readonly index: number }

export function indexOf(reference: Exclude<LinkReference, string>): number {
  const index = typeof reference === 'object' && reference !== null ? reference.index : reference
  if (typeof index !== 'number') throw invalidArgumentType('link', 'a link, a name or an index', reference)
  return requireInteger('link.index', index, 1, 0x7fff_ffff)
}

/** As error messages tell it: the name, or `#7`. */
export function describeLink(reference: LinkReference): string {
  return typeof reference === 'string' ? reference : `#${indexOf(reference)}`
}
