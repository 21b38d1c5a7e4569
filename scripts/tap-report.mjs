// Reads what `tap run --reporter=tap` prints, line by line: shows a line per test file and every failure in
// full, and counts what the runner counts (assertions, and tests that were left out as a whole).

export class TapReport {
  passed = 0
  failed = 0
  skipped = 0
  /** Reasons of tests that were left out, with how often each was given. */
  reasons = new Map()
  #print
  /** Names of the tests that are running, outermost first, and the failures shown before each began. */
  #running = []
  #shown = 0
  #counted = false
  #failure
  #yamlEnd

  constructor(print) {
    this.#print = print
  }

  /** Call when the runner has ended: a failure that was not reported must not get lost. */
  end(exitCode) {
    this.#flush()
    if (!this.#counted || (exitCode !== 0 && this.failed === 0)) {
      this.#print(`not ok  the test runner ended with code ${exitCode}`)
      this.failed++
    }
  }

  line(line) {
    if (this.#yamlEnd !== undefined) return this.#yaml(line)
    if (this.#failure && line === `${this.#failure.indent}  ---`) {
      this.#yamlEnd = `${this.#failure.indent}  ...`
      return
    }
    this.#flush()
    const totals = /^# \{ total: \d+, (.*) \}$/.exec(line)
    const subtest = /^( *)# Subtest: (.*)$/.exec(line)
    const point = /^( *)(ok|not ok) \d+(?: - (.*))?$/.exec(line)
    const empty = /^ *1\.\.0 # (?:SKIP )?(.*)$/.exec(line)
    if (totals) this.#count(totals[1])
    else if (subtest) this.#begin(subtest[1].length / 4, subtest[2])
    else if (point) this.#point(point[1], point[2] === 'ok', point[3] ?? '')
    else if (empty && empty[1] !== 'no tests found') this.#reason(empty[1])
  }

  #begin(depth, name) {
    this.#running.length = depth
    this.#running.push({ name: plain(name), shown: this.#shown })
  }

  #point(indent, ok, text) {
    const depth = indent.length / 4
    const [, name, time] = /^(.*?)(?: # time=([\d.]+)ms)?(?: \{)?$/.exec(text)
    const directive = /^(.*?) # (SKIP|TODO)\b *(.*)$/.exec(name)
    const own = this.#running[depth]
    const summary = own?.name === plain(directive?.[1] ?? name)
    if (directive) {
      if (directive[2] === 'SKIP' && !summary && directive[3]) this.#reason(directive[3])
    } else if (!ok && (!summary || own.shown === this.#shown)) {
      const path = this.#running.slice(0, depth).map(test => test.name)
      this.#failure = { indent, title: [...path, plain(name)].join(' > '), details: [] }
    }
    if (depth === 0) {
      this.#print(`${ok ? 'ok' : 'not ok'}  ${plain(name)}${time ? `  (${(time / 1000).toFixed(1)} s)` : ''}`)
    }
    if (summary) this.#running.length = depth
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
    if (!this.#failure) return
    this.#print(`\nFAILED  ${this.#failure.title}`)
    for (const detail of this.#failure.details) this.#print(detail)
    this.#print('')
    this.#shown++
    this.#failure = undefined
  }

  #count(text) {
    this.#counted = true
    const number = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(text)?.[1] ?? 0)
    this.passed += number('pass')
    this.failed += number('fail')
    this.skipped += number('skip') + number('todo')
  }

  #reason(reason) {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
  }
}

function plain(name) {
  return name.replaceAll('\\', '').trim()
}
