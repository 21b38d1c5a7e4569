import type { Request } from '../core/index.js'
import type { LinkReference } from './link-reference.js'

/** A change of one object, ready to be sent. */
export interface Change {
  readonly request: Request
  /** `create route`. */
  readonly operation: string
  readonly subject: string | undefined
}

/** Looks up the index of a link. */
export type LinkIndex = (link: LinkReference) => number
