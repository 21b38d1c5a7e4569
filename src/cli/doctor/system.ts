import { closeSync, constants, openSync, readFileSync, statSync } from 'node:fs'
import type { System } from './finding.js'

/** The system that we are on. */
export const system: System = {
  uid: process.getuid?.() ?? -1,
  read(path) {
    try {
      return { text: readFileSync(path, 'utf8').trim() }
    } catch (error) {
      return { code: codeOf(error) }
    }
  },
  mode: path => statSync(path, { throwIfNoEntry: false })?.mode,
  open(path) {
    try {
      closeSync(openSync(path, constants.O_RDWR))
      return true
    } catch (error) {
      return codeOf(error)
    }
  },
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
