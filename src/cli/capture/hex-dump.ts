/**
 * Bytes as tcpdump's -x and -X print them: a tab, the offset, eight words of two bytes, and at wish what is printable
 * of them.
 */
export function hexDump(bytes: Uint8Array, withText: boolean): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    let words = ''
    for (let i = 0; i < row.length; i++) {
      if (i % 2 === 0) words += ' '
      words += row[i]!.toString(16).padStart(2, '0')
    }
    const offset = `\t0x${at.toString(16).padStart(4, '0')}: ${words}`
    text += withText ? `${offset.padEnd(49)}  ${printable(row)}\n` : `${offset}\n`
  }
  return text
}

function printable(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
  return text
}
