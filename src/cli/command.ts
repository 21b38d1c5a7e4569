import { parseArgs } from 'node:util'

/**
 * An option. With `parse` it takes a value, which usage calls `value`; with `counted` it tells how often it was given;
 * otherwise it is a flag.
 */
export interface Option {
  readonly help: string
  readonly short?: string
  readonly value?: string
  readonly counted?: true
  /** @throws UsageError */
  parse?(text: string): unknown
}

export interface Options {
  readonly [name: string]: Option
}

export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { parse(text: string): infer T }
    ? T | undefined
    : O[K] extends { counted: true }
      ? number
      : boolean
}

/** One command of `netloom`: what it is told, and what it does. */
export interface Command<O extends Options = Options> {
  readonly name: string
  readonly summary: string
  readonly options: O
  /** Words that may follow it; or what the usage calls them, where they may be any. */
  readonly words?: readonly string[] | string
  /** What the usage says below the options. */
  readonly notes?: string
  /** Does it; the exit status. */
  run(values: Values<O>, words: string[]): Promise<number>
}

/** The command line is wrong: status 2, and the usage. */
export class UsageError extends Error {}

const help: Options = { help: { help: 'show this', short: 'h' } }

/** What the arguments after the command's name say; `undefined` when help is wanted. @throws UsageError */
export function parseCommand(
  command: Command,
  args: string[],
): { values: Values<Options>; words: string[] } | undefined {
  const options = { ...command.options, ...help }
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { short, parse, counted }]) => [
          name,
          {
            type: parse ? ('string' as const) : ('boolean' as const),
            ...(short && { short }),
            ...(counted && { multiple: true }),
          },
        ]),
      ),
    })
  } catch (error) {
    // Node's advice about arguments that begin with a dash is of no use here.
    throw new UsageError((error as Error).message.split('. To ')[0])
  }
  if (parsed.values.help) return undefined
  const words = parsed.positionals
  const unknown =
    typeof command.words === 'string' ? undefined : words.find(word => !command.words?.includes(word))
  if (unknown !== undefined) throw new UsageError(`${command.name} does not take '${unknown}'`)
  const values: Record<string, unknown> = {}
  for (const [name, { parse, counted }] of Object.entries(options)) {
    const given = parsed.values[name]
    if (counted) values[name] = Array.isArray(given) ? given.length : 0
    else if (!parse) values[name] = given === true
    else if (typeof given === 'string') values[name] = parseValue(name, given, parse)
  }
  // Each is what its option's `parse` gives, which this type cannot tell.
  return { values: values as Values<Options>, words }
}

function parseValue(name: string, given: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(given)
  } catch (error) {
    throw new UsageError(`--${name} ${given}: ${(error as Error).message}`)
  }
}

export function usageOf(command: Command): string {
  const words =
    typeof command.words === 'string'
      ? ` [${command.words}]`
      : (command.words?.map(word => ` [${word}]`).join('') ?? '')
  const options = Object.entries({ ...command.options, ...help }).map(([name, { short, value, help }]) => [
    `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`,
    help,
  ])
  const notes = command.notes ? `\n${command.notes}\n` : ''
  const summary = command.summary[0]!.toUpperCase() + command.summary.slice(1)
  return `usage: netloom ${command.name}${words} [OPTION]…\n\n${summary}.\n\n${twoColumns(options)}${notes}`
}

export function usageOfAll(commands: readonly Command[]): string {
  const list = twoColumns(commands.map(({ name, summary }) => [name, summary]))
  return `usage: netloom COMMAND [OPTION]…\n\n${list}\n  netloom COMMAND --help    what a command takes\n  netloom --version\n`
}

function twoColumns(rows: string[][]): string {
  const width = Math.max(...rows.map(([first]) => first!.length))
  return rows.map(([first, second]) => `  ${first!.padEnd(width)}  ${second}\n`).join('')
}
