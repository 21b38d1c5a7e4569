import { NetloomError } from '../errors/index.js'

/** Where in the text, in UTF-16 units, what was wrong, and what would be right. */
export interface FilterErrorDetails {
  /** The whole expression. */
  expression: string
  /** Index of the first character that is at fault. */
  offset: number
  /** How many characters are at fault; 0 at the end of the text. */
  length: number
  /** What could have stood there. */
  expected?: string | undefined
  /** What the writer probably meant. */
  suggestion?: string | undefined
}

/** A filter that cannot be compiled or a program that cannot be run: `ERR_FILTER_INVALID`. */
export class FilterError extends NetloomError {
  readonly expression: string
  readonly offset: number
  readonly length: number
  readonly expected: string | undefined
  readonly suggestion: string | undefined

  constructor(reason: string, details: FilterErrorDetails) {
    const { expression, offset, length, expected, suggestion } = details
    const parts = [
      expression === '' ? reason : `${reason} at ${offset}: ${quote(expression, offset, length)}`,
    ]
    if (expected !== undefined) parts.push(`expected ${expected}`)
    if (suggestion !== undefined) parts.push(suggestion)
    super('ERR_FILTER_INVALID', parts.join('; '))
    this.expression = expression
    this.offset = offset
    this.length = length
    this.expected = expected
    this.suggestion = suggestion
  }

  static {
    FilterError.prototype.name = 'FilterError'
  }
}

/** The place, marked, with a little of what surrounds it. */
function quote(expression: string, offset: number, length: number): string {
  const end = Math.min(offset + length, offset + 40)
  const before = expression.slice(Math.max(0, offset - 24), offset)
  const after = expression.slice(end, end + 24)
  return `"${offset > 24 ? '…' : ''}${before}>>${expression.slice(offset, end)}<<${after}"`
}
