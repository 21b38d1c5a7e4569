import { compileFilter, type FilterLinkType, filterLinkTypes } from '../../filter/index.js'
import { type Command, UsageError } from '../command.js'
import { oneOf } from '../options.js'

const options = {
  dump: { help: 'as instructions of C (-dd), or as decimal numbers (-ddd)', short: 'd', counted: true },
  'link-type': {
    help: `what packets begin with: ${Object.keys(filterLinkTypes).join(', ')} (default ethernet)`,
    value: 'TYPE',
    short: 'y',
    parse: oneOf(Object.keys(filterLinkTypes) as FilterLinkType[]),
  },
  live: { help: 'for a live packet socket, where a VLAN tag is beside the packet' },
  file: { help: 'for files (the default)' },
  netmask: {
    help: 'mask of the IPv4 network, which "ip broadcast" needs',
    value: 'MASK',
    parse: (text: string) => text,
  },
} as const

export const filter: Command<typeof options> = {
  name: 'filter',
  summary: 'compile a filter of tcpdump’s language, and print it as tcpdump -d does',
  words: 'EXPRESSION',
  options,
  notes: 'Without an expression it is the filter that takes every packet.',
  async run({ dump, 'link-type': linkType, live, file, netmask }, words) {
    if (live && file) throw new UsageError('--live and --file exclude each other')
    const program = compileFilter(words.join(' '), { linkType, live, netmask })
    const text =
      dump >= 3
        ? program.toDecimal()
        : dump === 2
          ? program.instructions
              .map(({ code, jt, jf, k }) => `{ 0x${code.toString(16)}, ${jt}, ${jf}, ${hex(k)} },`)
              .join('\n')
          : program.toString()
    process.stdout.write(`${text}\n`)
    return 0
  },
}

function hex(k: number): string {
  return `0x${k.toString(16).padStart(8, '0')}`
}
