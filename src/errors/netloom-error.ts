import type { ErrorCode } from './codes.js'

const brand = Symbol.for('netloom.error')

/** A condition of Netloom's own, told apart by `code`. */
export class NetloomError extends Error {
  readonly code: ErrorCode
  readonly [brand] = true

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }

  static {
    NetloomError.prototype.name = 'NetloomError'
  }
}

/** True for a {@link NetloomError}, also one from another copy of the package. */
export function isNetloomError(value: unknown, code?: ErrorCode): value is NetloomError {
  return (
    value instanceof Error && brand in value && (code === undefined || (value as NetloomError).code === code)
  )
}
