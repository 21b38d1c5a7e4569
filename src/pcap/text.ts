const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** `undefined` for what is no UTF-8, which is then kept as it is. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}
