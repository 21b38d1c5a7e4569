import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Test } from 'tap'

/**
 * True when `program` is on the path. Otherwise the test is skipped with the reason, or failed where
 * `NETLOOM_REQUIRE=all` says that every peer must be there.
 */
export function requires(t: Test, program: string): boolean {
  const directories = (process.env.PATH ?? '').split(delimiter)
  if (directories.some(directory => isExecutable(join(directory, program)))) return true
  const reason = `${program} is not installed`
  if (process.env.NETLOOM_REQUIRE === 'all') t.fail(reason)
  else t.pass(program, { skip: reason })
  return false
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
