import { spawnSync } from 'node:child_process'
import { type FilterLinkType, type FilterProgram, parseFilterProgram } from '../../src/filter/index.js'

const names: Record<FilterLinkType, string> = {
  null: 'NULL',
  ethernet: 'EN10MB',
  ip: 'RAW',
  loop: 'LOOP',
  'linux-sll': 'LINUX_SLL',
  ipv4: 'IPV4',
  ipv6: 'IPV6',
  'linux-sll2': 'LINUX_SLL2',
}

/**
 * What tcpdump makes of expressions: programs, `undefined` where it refuses, or `'unsafe'` for a program that the
 * kernel would refuse, with loops or with memory that is read before it is written. Many at once.
 */
export function tcpdumpPrograms(
  linkType: FilterLinkType,
  expressions: readonly string[],
): (FilterProgram | 'unsafe' | undefined)[] {
  // One shell for all: starting processes from Node is slow. The expressions are arguments, never text of the script.
  const script = `for expression do tcpdump -y ${names[linkType]} -ddd -- "$expression" 2>/dev/null; echo "= $?"; done`
  const result = spawnSync('sh', ['-c', script, 'sh', ...expressions], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const programs: (FilterProgram | 'unsafe' | undefined)[] = []
  let lines: string[] = []
  for (const line of result.stdout.split('\n')) {
    if (!line.startsWith('= ')) {
      lines.push(line)
      continue
    }
    programs.push(line === '= 0' ? program(lines.join('\n')) : undefined)
    lines = []
  }
  if (programs.length !== expressions.length) throw new Error(`tcpdump: ${result.stderr}`)
  return programs
}

function program(text: string): FilterProgram | 'unsafe' {
  try {
    return parseFilterProgram(text)
  } catch {
    return 'unsafe'
  }
}
