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
    for (let i = 0; i < 50 && !isEmpty(leftOver(before)); i++) await sleep(10)
    const { descriptors, names } = leftOver(before)
    t.same(descriptors, [], 'no descriptor is left')
    t.same(names, [], 'no namespace of ours is left')
  }
}

interface Snapshot {
  descriptors: string[]
  names: string[]
}

function snapshot(): Snapshot {
  return { descriptors: descriptors(), names: ourNames() }
}

/** What was open before may be closed now: files that are bundled into one process run one after the other. */
function leftOver(before: Snapshot): Snapshot {
  const after = snapshot()
  return {
    descriptors: after.descriptors.filter(each => !before.descriptors.includes(each)),
    names: after.names.filter(each => !before.names.includes(each)),
  }
}

function isEmpty({ descriptors, names }: Snapshot): boolean {
  return descriptors.length === 0 && names.length === 0
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
