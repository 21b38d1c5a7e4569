import type { Test } from 'tap'

/** NETLOOM_FUZZ_RUNS inputs for every target. */
export const fuzzRuns = Number(process.env.NETLOOM_FUZZ_RUNS ?? 20_000)
/** NETLOOM_FUZZ_SEED repeats a run. */
export const fuzzSeed = Number(process.env.NETLOOM_FUZZ_SEED ?? Date.now() & 0x7fffffff)

/**
 * Tries `inputs` inputs; `attempt` says what went wrong with one, if something did, and with that the target ends. False
 * then. `scripts/fuzz.mjs` reads the comment.
 */
export function fuzz(
  t: Test,
  target: string,
  inputs: number,
  attempt: (i: number) => string | undefined,
): boolean {
  const { stackTraceLimit } = Error
  const start = performance.now()
  // Most inputs are refused, and stacks, which nobody reads, would take a third of the time.
  Error.stackTraceLimit = 0
  let problem: string | undefined
  let i = 0
  try {
    while (i < inputs && problem === undefined) problem = attempt(i++)
  } catch (error) {
    problem = `threw ${error}`
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  t.comment(`fuzzed ${i} inputs in ${Math.ceil(performance.now() - start)} ms: ${target}`)
  if (problem !== undefined) t.fail(`${target}: ${problem} (NETLOOM_FUZZ_SEED=${fuzzSeed}, input ${i - 1})`)
  return problem === undefined
}
