import { NetloomError } from '../errors/index.js'
import { GenericConnection } from '../netlink/generic/index.js'
import type { NamespaceReference } from '../netns/index.js'
import type { Offload } from '../port/index.js'
import { askRoute } from './device-namespace.js'
import { control } from './handle.js'
import type { DriverSettings } from './options.js'
import { readEndianness } from './vnet-endianness.js'

type Framing = Pick<
  DriverSettings,
  'packetInformation' | 'vnetHeaderSize' | 'vnetEndianness' | 'offload' | 'offloads'
>

/** The features of a link that TUNSETOFFLOAD switches (drivers/net/tun.c, set_offload), as the kernel names them. */
const features: readonly (readonly [string, readonly Offload[]])[] = [
  ['tx-checksum-ip-generic', ['checksum']],
  ['tx-tcp-segmentation', ['tso4']],
  ['tx-tcp6-segmentation', ['tso6']],
  ['tx-tcp-ecn-segmentation', ['tso-ecn']],
  ['tx-udp-segmentation', ['uso4', 'uso6']],
  ['tx-udp_tnl-segmentation', ['udp-tunnel']],
]

/**
 * What precedes a frame, and what the kernel leaves to the reader, is for all queues of a device: a queue that joins others
 * has to agree with them. Gives the offloads that are in force, or undefined for a queue that is alone, which is known in
 * this turn.
 * @throws NetloomError `ERR_LINK_MISMATCH`
 */
export function checkJoining(
  fd: number,
  name: string,
  reference: NamespaceReference | undefined,
  wanted: Framing,
): Promise<readonly Offload[]> | undefined {
  const { tun } = askRoute(reference, route => route.links.getSync(name))
  const { queues = 1, disabledQueues = 0, packetInformation = false, vnetHeader = false } = tun ?? {}
  if (queues + disabledQueues < 2) return undefined
  const mismatch = (option: string, actual: unknown, asked: unknown) =>
    new NetloomError(
      'ERR_LINK_MISMATCH',
      `${name} has queues already, and its ${option} is ${actual}, not ${asked}`,
    )
  const actual = {
    packetInformation,
    vnetHeaderSize: vnetHeader ? control(fd, name, 'TUNGETVNETHDRSZ') : 0,
    vnetEndianness: vnetHeader ? readEndianness(fd, name) : 'native',
  }
  for (const option of ['packetInformation', 'vnetHeaderSize', 'vnetEndianness'] as const) {
    if (actual[option] !== wanted[option]) throw mismatch(option, actual[option], wanted[option])
  }
  // Without the header nothing can be left to the reader.
  if (!vnetHeader) return Promise.resolve([])
  return activeOffloads(name, reference).then(active => {
    const asked = wanted.offload === 'off' ? [] : (wanted.offloads ?? active)
    const list = (offloads: readonly Offload[]) => `[${[...new Set(offloads)].sort().join(', ')}]`
    if (list(asked) !== list(active)) throw mismatch('offloads', list(active), list(asked))
    return active
  })
}

async function activeOffloads(name: string, reference: NamespaceReference | undefined): Promise<Offload[]> {
  await using generic = GenericConnection.open(reference)
  const known = await generic.ethtool.features.get(name)
  return features.flatMap(([feature, offloads]) => (known[feature]?.active ? offloads : []))
}
