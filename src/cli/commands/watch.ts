import type { Objects, WatchChange, WatchSelection } from '../../netlink/index.js'
import type { Command, Values } from '../command.js'
import { toJson } from '../json.js'
import { LinkNames } from '../link-names.js'
import { family, inNamespace, link, parseTable } from '../options.js'
import { openNetwork } from '../place.js'
import { type Style, style } from '../style.js'
import { type Cell, formatRow } from '../text-table.js'
import { addressRow } from './addresses.js'
import { linkRow } from './links.js'
import { neighborRow } from './neighbors.js'
import { routeRow } from './routes.js'
import { ruleRow } from './rules.js'

const singular = {
  links: 'link',
  addresses: 'address',
  routes: 'route',
  neighbors: 'neighbor',
  rules: 'rule',
} as const

type Watched = keyof typeof singular
const signs: Record<WatchChange<Watched>['type'], [string, Style]> = {
  added: ['+', 'green'],
  removed: ['-', 'red'],
  changed: ['~', 'yellow'],
}

const options = {
  link: { ...link, help: 'only of this link; of routes, by way of it' },
  family,
  table: {
    help: 'routes of this table: a number, main (default), local, default, or all',
    value: 'TABLE',
    parse: (text: string) => (text === 'all' ? ('all' as const) : parseTable(text)),
  },
  state: { help: 'begin with what is there' },
  in: inNamespace,
  json: { help: 'a JSON object a line: first what is there, then each event' },
} as const

export const watch: Command<typeof options> = {
  name: 'watch',
  summary: 'what comes (+), goes (-) and changes (~), until Ctrl-C',
  words: Object.keys(singular),
  options,
  notes: 'Without words it watches all of them.',
  async run(values, words) {
    await using network = await openNetwork(values.in)
    const { link, family, table } = values
    const index = link === undefined ? undefined : (await network.links.get(link)).index
    const stop = new AbortController()
    const end = () => stop.abort()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
    const chosen = (words.length > 0 ? words : Object.keys(singular)) as Watched[]
    const all: Required<Pick<WatchSelection, Watched>> = {
      links: true,
      addresses: { link: index, family },
      routes: { table, family },
      neighbors: { link: index, family },
      rules: { family },
    }
    // Links always, for their names.
    const selection = Object.fromEntries([...chosen, 'links' as const].map(name => [name, all[name]]))
    const report = new Report(values, new Set(chosen), index)
    try {
      for await (const event of network.watch(selection as Pick<WatchSelection, Watched>, {
        signal: stop.signal,
      })) {
        if (event.type === 'state') report.state(event.state)
        else if (event.type === 'resync') report.resync(event.state, event.changes)
        else report.change(event)
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
    }
    return 0
  },
}

type State = Readonly<Partial<{ [K in Watched]: readonly Objects[K][] }>>

/** Writes events as they come. */
class Report {
  readonly #names = new LinkNames()
  readonly #values: Values<typeof options>
  readonly #chosen: ReadonlySet<string>
  readonly #link: number | undefined

  constructor(values: Values<typeof options>, chosen: ReadonlySet<string>, link: number | undefined) {
    this.#values = values
    this.#chosen = chosen
    this.#link = link
  }

  state(state: State): void {
    this.#learn(state)
    if (this.#values.json) this.#line(toJson({ type: 'state', state: this.#select(state) }, this.#names))
    else if (this.#values.state) this.#list(state)
  }

  resync(state: State, changes: readonly WatchChange<Watched>[] | undefined): void {
    this.#learn(state)
    const wanted = changes?.filter(change => this.#wants(change))
    if (this.#values.json) {
      const event = { type: 'resync', state: this.#select(state), changes: wanted }
      this.#line(toJson(event, this.#names))
    } else if (wanted) {
      this.#line(style('yellow', '! events were lost; this differs:'))
      for (const change of wanted) this.#tell(change)
    } else {
      this.#line(style('yellow', '! events were lost; there is now:'))
      this.#list(state)
    }
  }

  change(change: WatchChange<Watched>): void {
    if (change.object === 'links') this.#names.add(change.item)
    if (!this.#wants(change)) return
    if (this.#values.json) this.#line(toJson(change, this.#names))
    else this.#tell(change)
  }

  #tell(change: WatchChange<Watched>): void {
    const [sign, color] = signs[change.type]
    const more =
      change.type === 'changed'
        ? differences(change.previous, change.item)
        : change.type === 'removed' && change.moved
          ? 'moved to another namespace'
          : ''
    const row = [style(color, sign), singular[change.object], ...rowOf(change, this.#names), more]
    this.#line(formatRow(row.filter(cell => cell !== '')))
  }

  #list(state: State): void {
    for (const [object, items] of Object.entries(this.#select(state)) as [Watched, unknown[]][]) {
      for (const item of items) {
        const row = rowOf({ object, item } as unknown as WatchChange<Watched>, this.#names)
        this.#line(formatRow(['=', singular[object], ...row].filter(cell => cell !== '')))
      }
    }
  }

  #learn({ links = [] }: State): void {
    for (const link of links) this.#names.add(link)
  }

  #select(state: State): State {
    const objects = Object.entries(state) as [Watched, readonly Objects[Watched][]][]
    return Object.fromEntries(
      objects
        .filter(([object]) => this.#chosen.has(object))
        .map(([object, items]) => [
          object,
          items.filter(item => this.#wants({ object, item } as unknown as WatchChange<Watched>)),
        ]),
    )
  }

  #wants(change: WatchChange<Watched>): boolean {
    if (!this.#chosen.has(change.object)) return false
    if (this.#link === undefined) return true
    if (change.object === 'links') return change.item.index === this.#link
    if (change.object !== 'routes') return true
    return change.item.link === this.#link || change.item.nextHops.some(({ link }) => link === this.#link)
  }

  #line(text: string): void {
    process.stdout.write(`${text}\n`)
  }
}

function rowOf(change: WatchChange<Watched>, names: LinkNames): Cell[] {
  if (change.object === 'links') return linkRow(change.item, names)
  if (change.object === 'addresses') return addressRow(change.item, names)
  if (change.object === 'routes') return routeRow(change.item, names)
  if (change.object === 'rules') return ruleRow(change.item)
  return neighborRow(change.item, names)
}

/** `(mtu 1500 → 1400)`: plain values that differ. */
function differences(before: object, after: object): string {
  const previous = new Map<string, unknown>(Object.entries(before))
  const parts: string[] = []
  for (const [name, value] of Object.entries(after)) {
    const old = previous.get(name)
    if (value === old || (typeof value === 'object' && value !== null)) continue
    if (typeof old === 'object' && old !== null) continue
    if (typeof value === 'bigint' || name.endsWith('Count') || name === 'carrierChanges') continue
    parts.push(`${name} ${old ?? 'none'} → ${value ?? 'none'}`)
  }
  return parts.length > 0 ? `(${parts.join(', ')})` : ''
}
