import t from 'tap'

interface TapReport {
  passed: number
  failed: number
  skipped: number
  reasons: Map<string, number>
  line(line: string): void
  end(exitCode: number): void
}

const { TapReport } = (await import(new URL('../../../scripts/tap-report.mjs', import.meta.url).href)) as {
  TapReport: new (print: (line: string) => void) => TapReport
}

function read(text: string, exitCode: number) {
  const printed: string[] = []
  const report = new TapReport(line => printed.push(line))
  for (const line of text.split('\n')) report.line(line)
  report.end(exitCode)
  const { passed, failed, skipped, reasons } = report
  return { passed, failed, skipped, reasons: [...reasons], printed: printed.join('\n') }
}

const failing = `TAP version 14
1..3
# Subtest: test/unit/a.test.ts
    # Subtest: outer
        ok 1 - fine
        # Subtest: inner
            not ok 1 - one is two
              ---
              diff: |
                not ok 7 - text inside
              ...
            1..1
        not ok 2 - inner # time=22ms
          ---
          at: somewhere
          ...
        not ok 3 - bare
        1..3
    not ok 1 - outer # time=34ms
    # Subtest: left out
        1..0 # needs root
    ok 2 - left out # SKIP needs root
    ok 3 - small # SKIP no reason
not ok 1 - test/unit/a.test.ts # time=1234ms
  ---
  exitCode: 1
  ...
# Subtest: test/unit/b.test.ts
    1..0 # no tests found
not ok 2 - test/unit/b.test.ts # time=5ms
  ---
  exitCode: 7
  ...
ok 3 - test/unit/c.test.ts # time=1.5ms
# { total: 7, pass: 2, fail: 3, todo: 1, skip: 2 }
# time=9ms`

t.test('shows each failure once, with where it is and its details', async t => {
  const { printed, ...counted } = read(failing, 1)
  t.same(counted, {
    passed: 2,
    failed: 3,
    skipped: 3,
    reasons: [
      ['needs root', 1],
      ['no reason', 1],
    ],
  })
  t.same(
    printed.split('\n').filter(line => /^(FAILED|ok|not ok) /.test(line)),
    [
      'FAILED  test/unit/a.test.ts > outer > inner > one is two',
      'FAILED  test/unit/a.test.ts > outer > bare',
      'not ok  test/unit/a.test.ts  (1.2 s)',
      'not ok  test/unit/b.test.ts  (0.0 s)',
      'FAILED  test/unit/b.test.ts',
      'ok  test/unit/c.test.ts  (0.0 s)',
    ],
  )
  t.match(printed, /diff: \|\n {4}not ok 7 - text inside/)
  t.match(printed, /exitCode: 7/)
  t.notMatch(printed, /exitCode: 1$/m)
})

t.test('counts a runner that fails without saying why', async t => {
  t.match(read('TAP version 14', 0), { failed: 1, printed: /ended with code 0/ })
  t.match(read('# { total: 3, pass: 3 }', 1), { passed: 3, failed: 1 })
  t.match(read('# { total: 3, pass: 3 }', 0), { passed: 3, failed: 0, printed: '' })
})
