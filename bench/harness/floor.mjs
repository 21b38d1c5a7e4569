import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../floor/tun_floor.c', import.meta.url))

export const buildFolder = fileURLToPath(new URL('../../build/bench', import.meta.url))

/** Compiles the C floor, if need be; returns its path. */
export function buildFloor() {
  const program = join(buildFolder, 'tun_floor')
  const made = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (made < statSync(source).mtimeMs) {
    mkdirSync(buildFolder, { recursive: true })
    execFileSync('cc', ['-O2', '-o', program, source], { stdio: 'inherit' })
  }
  return program
}
