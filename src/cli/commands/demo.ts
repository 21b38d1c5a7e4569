import type { Command } from '../command.js'
import { runDemo } from '../demo/run.js'

const options = {
  watch: { help: 'keep the network up, with keys to disturb it' },
  file: {
    help: 'where the capture goes (default demo.pcapng)',
    value: 'FILE',
    parse: (text: string) => text,
  },
  'one-tap': {
    help: 'the variant for machines without namespaces: the machine’s own stack, and a host in TypeScript',
  },
} as const

export const demo: Command<typeof options> = {
  name: 'demo',
  summary: 'two kernels’ stacks and a cable of TypeScript between them, in about 10 seconds',
  options,
  run: ({ watch, file, 'one-tap': oneTap }) => runDemo({ file, watch, oneTap }),
}
