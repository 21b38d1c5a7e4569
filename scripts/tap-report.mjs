// Reads the TAP of one test file, line by line: shows every failure in full and a line at the end, and counts
// assertions, and tests that were left out as a whole.

export class TapReport {
  passed = 0
  failed = 0
  skipped = 0
  /** Reasons of tests that were left out, with how often each was given. */
  reasons = new Map()
  #file
  #print
  /** Names of the tests that are running, outermost first, and the failures shown before each began. */
  #running = []
  #ended = false
  #failure
  #yamlEnd

  constructor(file, print) {
    this.#file = file
    this.#print = print
  }

  /** Call when the process has ended: a failure that was not reported must not get lost. */
  end(how, milliseconds) {
    this.#flush()
    if (!this.#ended || (how !== 0 && this.failed === 0)) this.#fail([], [`ended with ${how}`])
    const verdict = this.failed > 0 ? 'not ok' : 'ok'
    this.#print(`${verdict}  ${this.#file}  (${(milliseconds / 1000).toFixed(1)} s)`)
  }

  line(line) {
    if (this.#yamlEnd !== undefined) return this.#yaml(line)
    if (this.#failure && line === `${this.#failure.indent}  ---`) {
      this.#yamlEnd = `${this.#failure.indent}  ...`
      return
    }
    this.#flush()
    const subtest = /^( *)# Subtest: (.*)$/.exec(line)
    const point = /^( *)(ok|not ok) \d+(?: - (.*)| # .*)?$/.exec(line)
    const plan = /^( *)1\.\.\d+(?: # (?:SKIP )?(.*))?$/.exec(line)
    if (subtest) this.#begin(subtest[1].length / 4, subtest[2])
    else if (point) this.#point(point[1], point[2] === 'ok', point[3] ?? '')
    else if (plan) this.#plan(plan[1] === '', plan[2])
  }

  #begin(depth, name) {
    this.#running.length = depth
    this.#running.push({ name: plain(name), shown: this.failed })
  }

  #point(indent, ok, text) {
    const depth = indent.length / 4
    const [, name] = /^(.*?)(?: # time=[\d.]+ms)?(?: \{)?$/.exec(text)
    const directive = /^(.*?) # (SKIP|TODO)\b *(.*)$/.exec(name)
    const own = this.#running[depth]
    const summary = own?.name === plain(directive?.[1] ?? name)
    if (directive) {
      this.skipped++
      if (directive[2] === 'SKIP' && !summary && directive[3]) this.#reason(directive[3])
    } else if (!ok && (!summary || own.shown === this.failed)) {
      const path = this.#running.slice(0, depth).map(test => test.name)
      this.#failure = { indent, path: [...path, plain(name)], details: [] }
    } else if (ok && !summary) this.passed++
    if (summary) this.#running.length = depth
  }

  /** A plan in the outermost test ends the file; one of nothing says why. */
  #plan(outermost, reason) {
    this.#ended ||= outermost
    if (!reason) return
    this.#reason(reason)
    if (outermost) this.skipped++
  }

  #yaml(line) {
    if (line !== this.#yamlEnd) {
      this.#failure.details.push(line.slice(this.#failure.indent.length))
      return
    }
    this.#yamlEnd = undefined
    this.#flush()
  }

  #flush() {
    if (this.#failure) this.#fail(this.#failure.path, this.#failure.details)
    this.#failure = undefined
  }

  #fail(path, details) {
    this.failed++
    this.#print(['', `FAILED  ${[this.#file, ...path].join(' > ')}`, ...details, ''].join('\n'))
  }

  #reason(reason) {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
  }
}

function plain(name) {
  return name.replaceAll('\\', '').trim()
}
