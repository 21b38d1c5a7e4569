import { invalidArgumentValue, NetloomError, requireOptions } from '../errors/index.js'
import type { Link } from '../netlink/route/index.js'
import type { NamespaceReference } from '../netns/index.js'
import { Tap, Tun } from '../tuntap/index.js'

/** Who may attach to a persistent TAP or TUN device, and how. */
export interface TuntapLinkSettings {
  /** User id that may attach without rights, as the user namespace of the network numbers it. */
  owner?: number | undefined
  /** The same of a group id. */
  group?: number | undefined
  /** Several programs, or several queues of one, may attach at once. Default false. */
  multiQueue?: boolean | undefined
}

const names = ['owner', 'group', 'multiQueue'] as const satisfies readonly (keyof TuntapLinkSettings)[]

export function isTuntapKind(kind: unknown): kind is 'tap' | 'tun' {
  return kind === 'tap' || kind === 'tun'
}

/**
 * A device that stays without a port, down; gives its name. Only /dev/net/tun makes them.
 * @throws TypeError, RangeError before anything is done; SystemError
 */
export async function createTuntapLink(
  where: NamespaceReference,
  options: { kind: 'tap' | 'tun'; name?: string | undefined; tun?: TuntapLinkSettings | undefined },
): Promise<string> {
  const { kind, name } = options
  const { owner, group, multiQueue } = requireOptions('options.tun', options.tun, names)
  const port = await (kind === 'tap' ? Tap : Tun).create({
    in: where,
    persist: true,
    up: false,
    ...(name !== undefined && { name }),
    ...(owner !== undefined && { owner }),
    ...(group !== undefined && { group }),
    ...(multiQueue !== undefined && { multiQueue }),
  })
  try {
    return port.name
  } finally {
    await port.close()
  }
}

/** What a TAP or TUN device cannot be made with. @throws TypeError */
export function checkTuntapLink(options: Record<string, unknown>): void {
  for (const name of ['in', 'peer', 'lower', 'index', 'txQueues', 'rxQueues']) {
    if (options[name] !== undefined) {
      throw invalidArgumentValue(`options.${name}`, options[name], 'is not for TAP and TUN devices')
    }
  }
}

/** @throws NetloomError `ERR_LINK_MISMATCH` */
export function checkTuntapMatch(link: Link, kind: 'tap' | 'tun', tun: TuntapLinkSettings | undefined): void {
  const mismatch = (difference: string) =>
    new NetloomError('ERR_LINK_MISMATCH', `there is a link ${link.name}, but its ${difference}`)
  if (link.kind !== 'tun' || link.tun?.type !== kind) {
    throw mismatch(`kind is ${link.tun?.type ?? link.kind}, not ${kind}`)
  }
  for (const name of names) {
    const [wanted, actual] = [tun?.[name], link.tun[name]]
    if (wanted !== undefined && actual !== wanted) throw mismatch(`tun.${name} is ${actual}, not ${wanted}`)
  }
}
