import t from 'tap'

interface TapReport {
  passed: number
  failed: number
  skipped: number
  reasons: Map<string, number>
  line(line: string): void
  end(how: number | string, milliseconds: number): void
}

const { TapReport } = (await import(new URL('../../../scripts/tap-report.mjs', import.meta.url).href)) as {
  TapReport: new (file: string, print: (line: string) => void) => TapReport
}

function read(text: string, how: number | string) {
  const printed: string[] = []
  const report = new TapReport('a.test.ts', line => printed.push(line))
  for (const line of text.split('\n')) report.line(line)
  report.end(how, 1234)
  const { passed, failed, skipped, reasons } = report
  return { passed, failed, skipped, reasons: [...reasons], printed: printed.join('\n') }
}

const failing = `TAP version 14
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
# Subtest: late
    ok 1 - the first
    1..2
not ok 4 - late # time=5ms
  ---
  expired: late
  ...
ok 5 - the end
1..5
# { total: 7, pass: 2, fail: 3, skip: 2 }
# time=9ms`

t.test('shows each failure once, with where it is and its details', async t => {
  const { printed, ...counted } = read(failing, 1)
  t.same(counted, {
    passed: 3,
    failed: 3,
    skipped: 2,
    reasons: [
      ['needs root', 1],
      ['no reason', 1],
    ],
  })
  t.same(
    printed.split('\n').filter(line => /^(FAILED|ok|not ok) /.test(line)),
    [
      'FAILED  a.test.ts > outer > inner > one is two',
      'FAILED  a.test.ts > outer > bare',
      'FAILED  a.test.ts > late',
      'not ok  a.test.ts  (1.2 s)',
    ],
  )
  t.match(printed, /diff: \|\n {4}not ok 7 - text inside/)
  t.match(printed, /expired: late/)
  t.notMatch(printed, /at: somewhere/)
})

t.test('counts a file that fails without saying why', async t => {
  t.match(read('TAP version 14', 0), { failed: 1, printed: /ended with 0/ })
  t.match(read('ok 1 - a\n1..1', 1), { passed: 1, failed: 1, printed: /ended with 1/ })
  t.match(read('ok 1 - a', 'SIGKILL'), { passed: 1, failed: 1, printed: /ended with SIGKILL/ })
  t.match(read('ok 1 - a\n1..1', 0), { passed: 1, failed: 0, printed: /^ok {2}a.test.ts {2}\(1.2 s\)$/ })
})

t.test('a file of which nothing can run says why', async t => {
  t.match(read('TAP version 14\n1..0 # needs root', 0), {
    passed: 0,
    failed: 0,
    skipped: 1,
    reasons: [['needs root', 1]],
  })
})
