/**
 * Codecs: a view and a record per protocol, and one-line descriptions.
 * Pure; loads on any platform. May use `errors`, `bytes`, `address`.
 */
export { type LinkType, linkTypes } from './link-type.js'
