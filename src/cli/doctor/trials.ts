import { type LinkCreate, linkKindNames, NetlinkError } from '../../netlink/index.js'
import { Network } from '../../network/index.js'
import { Tap } from '../../tuntap/index.js'
import type { Finding } from './finding.js'

/** Networks that go with their handles: in our own user namespace, and in a new one. */
export async function tryNetwork(userNamespace: boolean): Promise<Network | Error> {
  try {
    return await Network.create({ userNamespace })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

export function findingOfNetwork(userNamespace: boolean, tried: Network | Error): Finding {
  const about = userNamespace
    ? { id: 'user-network', question: 'networks can be made in a user namespace' }
    : { id: 'network', question: 'networks can be made' }
  if (!(tried instanceof Error)) return { ...about, answer: 'yes', reason: 'one was made, and is gone' }
  return { ...about, answer: 'no', reason: tried.message }
}

/** A TAP in a scratch network; without one, down, where we are. */
export async function tryTap(scratch?: Network): Promise<true | Error> {
  try {
    await using _tap = await Tap.create(scratch ? { in: scratch } : { up: false })
    return true
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

// What kinds cannot be made without.
const needs: Record<string, Omit<LinkCreate, 'kind'>> = {
  erspan: { erspan: { local: '10.0.0.1', remote: '10.0.0.2', inputKey: 1, outputKey: 1 } },
  geneve: { geneve: { id: 1, remote: '10.0.0.2' } },
  hsr: { hsr: { port1: 'try0', port2: 'try1' } },
  ip6erspan: { ip6erspan: { local: 'fd00::1', remote: 'fd00::2', inputKey: 1, outputKey: 1 } },
  ip6gre: { ip6gre: { local: 'fd00::1', remote: 'fd00::2' } },
  ip6gretap: { ip6gretap: { local: 'fd00::1', remote: 'fd00::2' } },
  ip6tnl: { ip6tnl: { local: 'fd00::1', remote: 'fd00::2' } },
  ipvlan: { lower: 'try0' },
  ipvtap: { lower: 'try0' },
  macsec: { lower: 'try0' },
  macvlan: { lower: 'try0' },
  macvtap: { lower: 'try0' },
  vlan: { lower: 'try0', vlan: { id: 5 } },
  vrf: { vrf: { table: 5 } },
  vxlan: { vxlan: { id: 1, port: 4789 } },
  xfrm: { xfrm: { id: 1 } },
}

/** Each kind of link that Netloom knows, made in a scratch network; `undefined`: there is none to try in. */
export async function examineKinds(scratch: Network | undefined): Promise<Finding[]> {
  // Those of the TUN driver are not made through netlink.
  const kinds = linkKindNames().filter(kind => kind !== 'tun')
  if (!scratch) {
    return kinds.map(kind => ({
      ...aboutKind(kind),
      answer: 'unknown',
      reason: 'there is no network to try it in',
    }))
  }
  await scratch.links.create({ kind: 'veth', name: 'try0', peer: { name: 'try1' } }).catch(() => {})
  const findings: Finding[] = []
  for (const kind of kinds) findings.push(await examineKind(scratch, kind))
  return findings
}

async function examineKind(scratch: Network, kind: string): Promise<Finding> {
  try {
    const link = await scratch.links.create({ ...needs[kind], kind, name: 'tried0' })
    await scratch.links.delete(link)
    return { ...aboutKind(kind), answer: 'yes', reason: 'one was made, and is gone' }
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENOTSUP') {
      return {
        ...aboutKind(kind),
        answer: 'no',
        reason: 'this kernel does not have it, or could not load its module',
      }
    }
    const reason = error instanceof Error ? error.message : String(error)
    return { ...aboutKind(kind), answer: 'unknown', reason }
  }
}

function aboutKind(kind: string) {
  return { id: `kind-${kind}`, question: `links of kind ${kind}` }
}
