const digits = '0123456789abcdef'

/** Two lower-case digits per byte: `hex(bytes, ' ')` is `'0a 00 00 01'`. */
export function hex(bytes: Uint8Array, separator = ''): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (i > 0) text += separator
    text += digits.charAt(byte >> 4) + digits.charAt(byte & 15)
  }
  return text
}

/** One array with the contents of all parts, in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
