import dgram from 'node:dgram'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import * as workerThreads from 'node:worker_threads'
import * as filter from '../../src/filter/index.js'
import * as frames from '../../src/frames/index.js'
import * as netloom from '../../src/index.js'
import * as udp from '../../src/udp/index.js'

type Names = Record<string, unknown>

const modules: Record<string, Names> = {
  netloom,
  'netloom/filter': filter,
  'netloom/frames': frames,
  'netloom/udp': udp,
  'node:dgram': { default: dgram },
  'node:http': { default: http },
  'node:net': { default: net },
  'node:worker_threads': workerThreads,
}

/** JavaScript of a page of documentation, in order. */
export function snippets(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/```js\n(.*?)```/gs)].map(match => match[1]!)
}

const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...values: unknown[]) => Promise<Names>

/**
 * Runs one as it stands. `scope` has what it neither imports nor declares, and what stands for its imports. What it
 * declares itself is the result.
 */
export async function runSnippet(code: string, scope: Names): Promise<Names> {
  const given = { ...scope }
  const body = code.replace(
    /^import (\{.*?\}|\w+) from '([^']+)'\n/gms,
    (_, clause: string, module: string) => {
      for (const name of clause.match(/\w+/g)!) {
        const exported = clause.startsWith('{') ? name : 'default'
        if (!(exported in modules[module]!)) throw new Error(`${module} has no ${exported}`)
        given[name] ??= modules[module]![exported]
      }
      return ''
    },
  )
  const declared = [...body.matchAll(/^const (\w+|[{[][^}\]]*[}\]]) =/gm)].flatMap(
    match => match[1]!.match(/\w+/g)!,
  )
  const names = Object.keys(given).filter(name => !declared.includes(name))
  const run = new AsyncFunction(...names, `${body}\nreturn { ${declared.join(', ')} }`)
  return run(...names.map(name => given[name]))
}
