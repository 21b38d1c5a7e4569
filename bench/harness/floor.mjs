import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const buildFolder = fileURLToPath(new URL('../../build/bench', import.meta.url))

/** Compiles a C floor, if need be; returns its path. */
export function buildFloor(name = 'tun_floor') {
  const source = fileURLToPath(new URL(`../floor/${name}.c`, import.meta.url))
  const program = join(buildFolder, name)
  const made = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (made < statSync(source).mtimeMs) {
    mkdirSync(buildFolder, { recursive: true })
    execFileSync('cc', ['-O2', '-o', program, source], { stdio: 'inherit' })
  }
  return program
}
