const columns = ['measured', 'ours', 'compared with', 'ratio: min', 'median', 'max', 'target', '']

/** The findings of a case as rows of a table. */
function cells({ measure, unit, ours, floor, ratio, target, met, note }) {
  if (note) return [measure, note]
  const shown = ratio ?? ours
  const { most, least } = target
  const bound = most !== undefined ? `<= ${most}` : least !== undefined ? `>= ${least}` : ''
  return [
    measure,
    `${number(ours.median)} ${unit}`,
    floor ? `${number(floor.median)} ${unit}` : '',
    ...(ratio ? [shown.min, shown.median, shown.max].map(value => value.toFixed(2)) : ['', '', '']),
    bound && !ratio ? `${bound} ${unit}` : bound,
    met === undefined ? '' : met ? 'met' : 'MISSED',
  ]
}

function number(value) {
  if (value === 0) return '0'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en').replaceAll(',', ' ')
  return value.toPrecision(3)
}

/** Markdown, also readable as it is. */
export function table(findings) {
  const rows = [columns, columns.map(() => ''), ...findings.map(cells)]
  const widths = columns.map((_, i) =>
    Math.max(3, ...rows.map(row => (row.length === 2 && i > 0 ? 0 : (row[i] ?? '').length))),
  )
  return rows
    .map((row, r) => {
      if (r === 1)
        return `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
      const padded = widths.map((width, i) =>
        i === 0 ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width),
      )
      return `| ${padded.join(' | ')} |`
    })
    .join('\n')
}
