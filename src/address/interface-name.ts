import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'

/**
 * The name of a network interface if the kernel would take it, else a `TypeError`: 1 to 15 bytes of UTF-8, not
 * `.` or `..`, without `/`, `:` and white space (`dev_valid_name` in net/core/dev.c). The kernel looks at bytes,
 * and counts 0xa0 as a space: `à` (c3 a0) is refused too.
 *
 * With `pattern`, one `%d` may stand for the first free number; otherwise `%` is refused, since the kernel would
 * take the name for a pattern.
 */
export function checkInterfaceName(name: string, options: { pattern?: boolean | undefined } = {}): string {
  if (typeof name !== 'string') throw invalidArgumentType('name', 'a string', name)
  const reason = objection(name, options.pattern ?? false)
  if (reason) throw invalidArgumentValue('name', name, reason)
  return name
}

function objection(name: string, pattern: boolean): string | undefined {
  if (name === '') return 'must not be empty'
  if (name === '.' || name === '..') return 'must not be . or ..'
  // A character takes at least a byte: no need to encode what is too long already.
  const bytes = name.length > 15 ? undefined : new TextEncoder().encode(name)
  if (!bytes || bytes.length > 15) return 'must be at most 15 bytes long'
  for (const byte of bytes) {
    if (byte === 0) return 'must not contain a zero byte'
    if (byte === 0x2f || byte === 0x3a) return 'must not contain / or :'
    if (byte === 0x20 || byte === 0xa0 || (byte >= 0x09 && byte <= 0x0d)) {
      return 'must not contain white space (a byte 0xa0 counts as such)'
    }
  }
  if (/\p{Surrogate}/u.test(name)) return 'must be well-formed text'
  const percent = name.indexOf('%')
  if (percent < 0) return undefined
  if (!pattern) return 'must not contain %'
  if (name[percent + 1] !== 'd' || name.includes('%', percent + 1))
    return 'must not contain % but for a single %d'
  return undefined
}
