import { checkInterfaceName, parseIpAddress } from '../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import type { NamespaceReference } from '../netns/index.js'
import { Endpoint, type EndpointOptions } from './endpoint.js'

/** IP_PMTUDISC_* of include/uapi/linux/in.h: what is done about datagrams that are longer than the path's MTU. */
const pathMtuModes = {
  /** They are sent in fragments. */
  dont: 0,
  /** In fragments, unless the path is known to be narrower; the kernel's default. */
  want: 1,
  /** Never in fragments: refused (EMSGSIZE) where they are longer than is known to pass. */
  do: 2,
  /** Never in fragments, and sent all the same: to find out what passes. */
  probe: 3,
} as const

export type PathMtuMode = keyof typeof pathMtuModes

export interface UdpOptions {
  /** Where to listen: an address of this host. Default `::`, which serves IPv4 too. */
  address?: string | undefined
  /** Default 0: any free port. */
  port?: number | undefined
  /** Index of the link, of a link-local IPv6 `address`. */
  scope?: number | undefined
  /** The namespace to open it in; default the process's own. */
  in?: NamespaceReference | undefined
  /** Connected: only its datagrams are received, and sends need no `to`. */
  remote?: Endpoint | EndpointOptions | undefined
  /** IPv6 alone. Default false. */
  ipv6Only?: boolean | undefined
  /** Several sockets share the port (SO_REUSEPORT); each remote stays with one of them. Default false. */
  reusePort?: boolean | undefined
  reuseAddress?: boolean | undefined
  /** Bytes, beyond the system's limit where rights allow (SO_RCVBUFFORCE). The kernel counts them twice. */
  receiveBuffer?: number | undefined
  sendBuffer?: number | undefined
  /** Of all that is sent (SO_MARK), for rules and routes. Needs CAP_NET_ADMIN, or CAP_NET_RAW since 5.17. */
  mark?: number | undefined
  /** Name of the only link to send and receive by (SO_BINDTODEVICE). */
  device?: string | undefined
  /** Type of service, traffic class: DSCP and ECN, 0 to 255. */
  typeOfService?: number | undefined
  /** Hops that a datagram may make, 1 to 255. */
  ttl?: number | undefined
  pathMtu?: PathMtuMode | undefined
  /** The kernel joins datagrams on their way in (UDP_GRO), and we take them apart. Default true, where it can. */
  coalesce?: boolean | undefined
  /** Datagrams of one length to one endpoint go down joined (UDP_SEGMENT). Default true, where it can. */
  segment?: boolean | undefined
  /** Batches tell local addresses, interfaces and types of service. Default false. */
  information?: boolean | undefined
}

const optionNames = [
  'address',
  'port',
  'scope',
  'in',
  'remote',
  'ipv6Only',
  'reusePort',
  'reuseAddress',
  'receiveBuffer',
  'sendBuffer',
  'mark',
  'device',
  'typeOfService',
  'ttl',
  'pathMtu',
  'coalesce',
  'segment',
  'information',
] as const satisfies readonly (keyof UdpOptions)[]

/** Options checked, with their defaults; -1 leaves a number to the kernel. */
export interface UdpSettings {
  ipv6: boolean
  ipv6Only: boolean
  reusePort: boolean
  reuseAddress: boolean
  coalesce: boolean
  segment: boolean
  information: boolean
  receiveBuffer: number
  sendBuffer: number
  mark: number | undefined
  typeOfService: number
  ttl: number
  pathMtu: number
  bind: Endpoint
  remote: Endpoint | undefined
  device: string
}

export function udpSettings(given: UdpOptions | undefined): UdpSettings {
  const options = requireOptions('options', given, optionNames)
  const remote = options.remote === undefined ? undefined : Endpoint.of(options.remote)
  const { address = remote?.family === 4 ? '0.0.0.0' : '::', port = 0, scope, pathMtu, device = '' } = options
  const { family } = parseIpAddress(address)
  if (remote && family === 4 && remote.family === 6) {
    throw invalidArgumentValue('options.remote.address', remote.address, 'must be IPv4, as `address` is')
  }
  if (options.ipv6Only && (family === 4 || remote?.family === 4)) {
    throw invalidArgumentValue('options.ipv6Only', true, 'is not for IPv4 addresses')
  }
  if (pathMtu !== undefined && !Object.hasOwn(pathMtuModes, pathMtu)) {
    throw invalidArgumentValue(
      'options.pathMtu',
      pathMtu,
      `must be one of ${Object.keys(pathMtuModes).join(', ')}`,
    )
  }
  requireInteger('options.port', port, 0, 0xffff)
  if (typeof device !== 'string') throw invalidArgumentType('options.device', 'a string', device)
  if (device !== '') checkInterfaceName(device)
  const number = (name: keyof UdpOptions, least: number, most: number) =>
    options[name] === undefined ? -1 : requireInteger(`options.${name}`, options[name], least, most)
  const truth = (name: keyof UdpOptions, fallback: boolean) => {
    const value = options[name] ?? fallback
    if (typeof value !== 'boolean') throw invalidArgumentType(`options.${name}`, 'a boolean', value)
    return value
  }
  return {
    ipv6: family === 6,
    ipv6Only: truth('ipv6Only', false),
    reusePort: truth('reusePort', false),
    reuseAddress: truth('reuseAddress', false),
    coalesce: truth('coalesce', true),
    segment: truth('segment', true),
    information: truth('information', false),
    receiveBuffer: number('receiveBuffer', 1, 0x3fff_ffff),
    sendBuffer: number('sendBuffer', 1, 0x3fff_ffff),
    mark:
      options.mark === undefined ? undefined : requireInteger('options.mark', options.mark, 0, 0xffff_ffff),
    typeOfService: number('typeOfService', 0, 255),
    ttl: number('ttl', 1, 255),
    pathMtu: pathMtu === undefined ? -1 : pathMtuModes[pathMtu],
    bind: new Endpoint({ address, port, scope }),
    remote,
    device,
  }
}
