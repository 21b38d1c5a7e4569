import { type Style, style } from './style.js'

/** A cell: text, or text in a style. */
export type Cell = string | { readonly text: string; readonly style: Style | undefined }

/** Lines of aligned columns, each with its line feed; columns that are empty throughout are left out. */
export function formatTable(rows: readonly (readonly Cell[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, textOf(cell).length)
  }
  return rows.map(row => `${formatRow(row, widths)}\n`).join('')
}

/** One line; without widths its cells stand a space apart. */
export function formatRow(row: readonly Cell[], widths?: readonly number[]): string {
  const last = row.findLastIndex(cell => textOf(cell) !== '')
  const cells: string[] = []
  for (const [i, cell] of row.slice(0, last + 1).entries()) {
    const text = textOf(cell)
    const width = widths?.[i] ?? text.length
    if (width === 0) continue
    const styled = typeof cell === 'string' ? text : style(cell.style, text)
    cells.push(i === last ? styled : styled + ' '.repeat(width - text.length))
  }
  return cells.join(widths ? '  ' : ' ')
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text
}

/** `['via', '10.0.0.1']` where there is a value; numbers in decimal. */
export function word(name: string, value: string | number | bigint | undefined): string[] {
  return value === undefined ? [] : [name, String(value)]
}
