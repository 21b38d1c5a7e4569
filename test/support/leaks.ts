import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'

/**
 * The last test of a file that opens things: nothing that was open, named or running is left since this was called.
 *
 *     const leaks = watchLeaks()
 *     t.test(…)
 *     t.test('nothing is left', leaks)
 */
export function watchLeaks(): (t: Test) => Promise<void> {
  const before = snapshot()
  return async t => {
    // Handles of Node's own close in the turns that follow.
    for (let i = 0; i < 50 && !same(snapshot(), before); i++) await sleep(10)
    const after = snapshot()
    t.same(after.descriptors, before.descriptors, 'no descriptor is left')
    t.same(after.names, before.names, 'no namespace of ours is left')
  }
}

interface Snapshot {
  descriptors: string[]
  names: string[]
}

function snapshot(): Snapshot {
  return { descriptors: descriptors(), names: ourNames() }
}

function same(a: Snapshot, b: Snapshot): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** What this process has open, but for pipes and sockets of the test runner that come and go. */
export function descriptors(): string[] {
  return (
    readdirSync('/proc/self/fd')
      .map(fd => {
        try {
          return `${fd} ${readlinkSync(`/proc/self/fd/${fd}`).replace(/\[.*/, '')}`
        } catch {
          return ''
        }
      })
      // Under some kernels Node keeps /dev/null from its first child on.
      .filter(text => text !== '' && !text.endsWith('/fd') && !text.endsWith('/dev/null'))
      .sort()
  )
}

/** Named namespaces that {@link uniqueName} of this process named. */
function ourNames(): string[] {
  try {
    return readdirSync('/run/netns').filter(name => name.startsWith(`nl${process.pid}-`))
  } catch {
    return []
  }
}

let count = 0

/** A name that no other test uses. */
export function uniqueName(): string {
  return `nl${process.pid}-${count++}`
}
