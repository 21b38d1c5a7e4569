import type { Table } from '../../core/index.js'

/** What a link of one kind has beyond what every link has: IFLA_INFO_DATA, or for ports IFLA_INFO_SLAVE_DATA, as a table. */
export interface LinkKind<N extends string = string, T extends Table = Table> {
  /** The kernel's name for the kind, which is also the name of its settings in options and links; those of ports end in `Port`. */
  readonly name: N
  readonly settings: T
  /** False for kinds that netlink cannot make. */
  readonly creatable: boolean
}

export function linkKind<N extends string, T extends Table>(
  name: N,
  settings: T,
  options: { creatable: boolean } = { creatable: true },
): LinkKind<N, T> {
  return { name, settings, creatable: options.creatable }
}
