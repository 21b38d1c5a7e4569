import type { Table } from '../../core/index.js'

/** What a link of one kind has beyond what every link has: IFLA_INFO_DATA, or for ports IFLA_INFO_SLAVE_DATA, as a table. */
export interface LinkKind<N extends string = string, T extends Table = Table> extends LinkKindTraits {
  /** The kernel's name for the kind, which is also the name of its settings in options and links; those of ports end in `Port`. */
  readonly name: N
  readonly settings: T
}

export interface LinkKindTraits {
  /** False for kinds that netlink cannot make. */
  readonly creatable?: boolean
  /** Of kinds that come in pairs: the attribute that describes the other end, as `peer` of `links.create` does. */
  readonly peer?: number
  /**
   * The kernel takes what a change does not say for the default. Then a change is sent with the settings that there
   * are.
   */
  readonly whole?: boolean
  /** Adds what follows from settings that were given. */
  readonly prepare?: (given: Record<string, unknown>) => Record<string, unknown>
}

/**
 * Describes a kind of link, or what a port has from a master of that kind, for {@link registerLinkKind} and
 * {@link registerPortKind}.
 */
export function linkKind<N extends string, T extends Table>(
  name: N,
  settings: T,
  options: LinkKindTraits = {},
): LinkKind<N, T> {
  return { name, settings, ...options }
}
