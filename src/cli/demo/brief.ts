import { describe } from '../../frames/index.js'

/**
 * The frame in at most so many columns. TCP options are shown on SYN only, without time stamps; where it is still
 * too long, the numbers go first, and then the end.
 */
export function brief(frame: Uint8Array, columns: number): string {
  let text = describe(frame)
  text = text.includes(': tcp SYN')
    ? text.replace(/TS val \d+ ecr \d+,?|nop,?/g, '')
    : text.replace(/ win \d+( <[^>]*>)?/, '')
  for (const number of [/ ack \d+/, / seq \d+/]) if (text.length > columns) text = text.replace(number, '')
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text
}
