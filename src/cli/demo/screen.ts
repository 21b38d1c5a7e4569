import { readFileSync } from 'node:fs'
import { type Style, style } from '../style.js'

const drawing = `
   red ─────────────────────┐                          ┌───────────────────── blue
   a kernel's whole stack   │   this Node process      │   another one
   10.77.0.1   fd77::1   tap0 ══ cable() ══ cable() ══ tap0   10.77.0.2   fd77::2
   node:http server         │                          │   node:http client
   ─────────────────────────┘                          └──────────────────────────
`

/** Text on its way to a person, colored on a terminal. */
export class Screen {
  /** Of a line that is not to be broken. */
  readonly columns = Math.min(process.stdout.columns ?? 120, 120)
  #step = 0

  style(kind: Style, text: string): string {
    return style(kind, text)
  }

  line(text = ''): void {
    process.stdout.write(`${text}\n`)
  }

  step(text: string): void {
    this.line(`\n${this.style('bold', `${++this.#step}. ${text}`)}`)
  }

  good(text: string): void {
    this.line(`   ${this.style('green', 'ok')}  ${text}`)
  }

  /** What went wrong, and what can be done about it. */
  bad(text: string, advice: readonly string[] = []): void {
    this.line(`   ${this.style('red', 'no')}  ${text}`)
    for (const line of advice) this.line(`       ${line}`)
  }

  /** The cable as it stands in the source, and who is connected to whom. */
  cable(): void {
    const source = new URL('../../../src/cli/demo/cable.ts', import.meta.url)
    const code = readFileSync(source, 'utf8').match(/^\/\/ The cable[\s\S]*?^}/m)![0]
    this.line(this.style('cyan', code.replace(/^/gm, '   ')))
    this.line(this.style('dim', drawing))
  }
}
