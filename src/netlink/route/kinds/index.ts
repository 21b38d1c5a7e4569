/** Kinds of links: a table of settings each, and the registry of them. */
export { type LinkKind, type LinkKindTraits, linkKind } from './kind.js'
export { linkIndex, resolveLinks } from './link-index.js'
export * from './registry.js'
