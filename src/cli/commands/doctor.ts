import type { Command } from '../command.js'
import { examine } from '../doctor/examine.js'
import type { Answer, Finding } from '../doctor/finding.js'
import { toJson } from '../json.js'
import { type Style, style } from '../style.js'

const options = { json: { help: 'one JSON document' } } as const

const marks: Record<Answer, [string, Style]> = {
  yes: ['yes', 'green'],
  no: ['no ', 'red'],
  unknown: ['?  ', 'yellow'],
}

export const doctor: Command<typeof options> = {
  name: 'doctor',
  summary: 'what this kernel, process and user can do, why not, and what would help',
  options,
  notes: `'?' is what could not be found out. It tries things in networks of its own, which are gone when it ends; trying a
kind of link makes the kernel load its module, as its use would. It changes nothing else and sends nothing.`,
  async run({ json }) {
    const findings = await examine()
    if (json) {
      process.stdout.write(`${toJson(findings)}\n`)
      return 0
    }
    for (const { question, answer, reason, advice } of joinKinds(findings)) {
      const [mark, color] = marks[answer]
      process.stdout.write(`${style(color, mark)}  ${question}: ${reason}\n`)
      if (answer !== 'yes' && advice !== undefined) process.stdout.write(`     ${style('dim', advice)}\n`)
    }
    return 0
  },
}

/** Kinds of links that fare alike, on one line. */
function joinKinds(findings: readonly Finding[]): Finding[] {
  const joined = new Map<string, Finding>()
  for (const finding of findings) {
    const { id, answer, reason, question } = finding
    const kind = /^kind-(.*)/.exec(id)?.[1]
    const key = kind === undefined ? id : `${answer} ${reason}`
    const known = joined.get(key)
    joined.set(key, known ? { ...known, question: `${known.question}, ${kind}` } : { ...finding, question })
  }
  return [...joined.values()]
}
