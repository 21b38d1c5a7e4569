/**
 * The first line of `bytes[start, end)` as text that is safe to print: everything but the visible ASCII characters
 * and the space is escaped as `\x0a`. Cut after `limit` bytes, with `…`.
 */
export function printableLine(bytes: Uint8Array, start: number, end: number, limit: number): string {
  let text = ''
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte === 0x0a || (byte === 0x0d && (i + 1 === end || bytes[i + 1] === 0x0a))) break
    if (i - start === limit) return `${text}…`
    if (byte === 0x5c) text += '\\\\'
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte)
    else text += `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return text
}

/** The first line of text that came with a frame, as {@link printableLine} has it; cut after 60 bytes. */
export function printableText(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return printableLine(bytes, 0, bytes.length, 60)
}

const methods = ['GET ', 'HEAD ', 'POST ', 'PUT ', 'DELETE ', 'CONNECT ', 'OPTIONS ', 'TRACE ', 'PATCH ']

/**
 * The first line of an HTTP/1 request (`HTTP GET / HTTP/1.1`) or response (`HTTP/1.1 200 OK`), RFC 9112 section
 * 2.1, if the bytes begin like one.
 */
export function httpLine(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (beginsWith(bytes, start, end, 'HTTP/1.')) return printableLine(bytes, start, end, 120)
  for (const method of methods) {
    if (beginsWith(bytes, start, end, method)) return `HTTP ${printableLine(bytes, start, end, 120)}`
  }
  return undefined
}

function beginsWith(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start < text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
  return true
}
