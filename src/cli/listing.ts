import type { Network } from '../network/index.js'
import type { Command, Options, Values } from './command.js'
import { toJson } from './json.js'
import { LinkNames } from './link-names.js'
import { inNamespace, json } from './options.js'
import { openNetwork } from './place.js'
import { type Cell, formatTable } from './text-table.js'

interface Listing<T, O extends Options> {
  readonly name: string
  readonly summary: string
  /** Its filters. */
  readonly options: O
  readonly notes?: string
  list(network: Network, filter: Values<O>): Promise<readonly T[]>
  row(item: T, names: LinkNames): readonly Cell[]
}

/** A command that lists objects of a network: a line for each, or all as JSON. */
export function listing<T, const O extends Options>(listing: Listing<T, O>): Command {
  const { name, summary, notes, options } = listing
  return {
    name,
    summary,
    ...(notes !== undefined && { notes }),
    options: { ...options, in: inNamespace, json },
    async run(given) {
      const values = given as Values<O> & { in: string | undefined; json: boolean }
      await using network = await openNetwork(values.in)
      const items = await listing.list(network, values)
      const names = new LinkNames(await network.links.list())
      process.stdout.write(
        values.json ? `${toJson(items, names)}\n` : formatTable(items.map(item => listing.row(item, names))),
      )
      return 0
    },
  }
}
