#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { runDemo } from './demo/run.js'

const usage = `usage: netloom demo [--watch] [--file demo.pcapng] [--one-tap]

  demo        two kernels' stacks and a cable of TypeScript between them, in about 10 seconds
    --watch   keep the network up, with keys to disturb it
    --file    where the capture goes (default demo.pcapng)
    --one-tap the variant for machines without namespaces: the machine's own stack, and a host in TypeScript
`

async function main(): Promise<number> {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse()
  } catch (error) {
    process.stderr.write(`netloom: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
  const { values, positionals } = parsed
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  if (positionals.length === 1 && positionals[0] === 'demo') {
    return runDemo({ file: values.file, watch: values.watch, oneTap: values['one-tap'] })
  }
  process.stderr.write(usage)
  return 2
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      watch: { type: 'boolean', default: false },
      file: { type: 'string', default: 'demo.pcapng' },
      'one-tap': { type: 'boolean', default: false },
    },
  })
}

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit(0)
})

main().then(status => {
  process.exitCode = status
  // After a failure there may be a server or a connection that nobody will close.
  if (status !== 0) process.exit()
})
