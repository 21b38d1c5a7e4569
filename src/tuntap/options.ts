import { checkInterfaceName, parseIpPrefix, parseMacAddress } from '../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import type { NamespaceReference } from '../netns/index.js'
import type { Offload } from '../port/index.js'
import { flags } from './constants.js'
import { offloadMask } from './offload.js'

/** What the descriptor is like; see Documentation/networking/tuntap.rst and include/uapi/linux/if_tun.h. */
export interface DriverOptions {
  /** Device name, or a pattern such as `tap%d` for the first free number. Default `tap%d` or `tun%d`. */
  name?: string
  /** The namespace to open it in; default the process's own. */
  in?: NamespaceReference
  /** Each frame is preceded by struct tun_pi on the descriptor; the port adds and takes it off. Default false. */
  packetInformation?: boolean
  /**
   * Several queues, one descriptor each; see `openQueue()`. One that joins others has to have their packet information,
   * virtio-net header and offloads. Default false.
   */
  multiQueue?: boolean
  /** Bytes of the virtio-net header before each frame on the descriptor. Default 0: none; with `offload` 10. */
  vnetHeaderSize?: 0 | 10 | 12 | 24
  /**
   * What becomes of super-frames, which stand for many frames of one flow and cost the kernel little more than one.
   * `split`: they are cut to frames as they are read, with complete checksums. `whole`: they are delivered as they are, with
   * the column `gso`. Both join frames of one flow to super-frames when they are sent. Default 'off': the kernel
   * gives and takes plain frames only.
   */
  offload?: 'off' | 'split' | 'whole'
  /** What the kernel may leave to the reader with `offload`. Default: all that its driver knows at that `vnetHeaderSize`, or what other queues have. */
  offloads?: readonly Offload[]
  /** Frames are joined when they are sent, to super-frames of the kinds in `offloads`. Default: true with `offload`. */
  coalesce?: boolean
  /** Bytes that are free, at least, before each frame that is read, for a tunnel's header, 0 to 4096. Default 0. */
  headroom?: number
  /** The same after each frame. */
  tailroom?: number
  /** Received frames go through NAPI, where the kernel can merge them. Default false. */
  napi?: boolean
  /** Adds IFF_NAPI_FRAGS (TAP, with `napi`; needs CAP_NET_ADMIN in the initial user namespace). */
  napiFragments?: boolean
  /** The device starts without carrier when false; see `setCarrier()`. Default true. */
  carrier?: boolean
  /**
   * The device outlives its descriptors, from when its link is set up; its alias is then `netloom`, if it had none. Default: as
   * it is, which is false for a new one; false does not take it back, see `setPersist()`.
   */
  persist?: boolean
  /** User id that may open the device without rights, as the user namespace of the network numbers it. */
  owner?: number
  /** The same of a group id. */
  group?: number
  /** Bytes in flight before a send waits; default unlimited. */
  sendBuffer?: number
  /** Byte order of the virtio-net header. Default 'native'. */
  vnetEndianness?: 'native' | 'little' | 'big'
}

/** How the device's link is set up once it is open. */
export interface LinkOptions {
  /** Default true. */
  up?: boolean
  /** Bytes. */
  mtu?: number
  /** Addresses with their prefix length: `192.168.7.1/24`, `fd00::1/64`. */
  addresses?: readonly string[]
  /** TAP only. */
  macAddress?: string
  /** Frames that the kernel queues for the reader before it drops. */
  txQueueLength?: number
  /** A bridge, by name or index. */
  master?: string | number
  /** 'none': the kernel gives the device no fe80:: address. Default 'eui64', as the kernel does. */
  ipv6LinkLocal?: 'none' | 'eui64'
}

export type TuntapOptions = DriverOptions & LinkOptions

const driverKeys = [
  'name',
  'in',
  'packetInformation',
  'multiQueue',
  'vnetHeaderSize',
  'offload',
  'offloads',
  'coalesce',
  'headroom',
  'tailroom',
  'napi',
  'napiFragments',
  'carrier',
  'persist',
  'owner',
  'group',
  'sendBuffer',
  'vnetEndianness',
] as const
export const linkKeys = [
  'up',
  'mtu',
  'addresses',
  'macAddress',
  'txQueueLength',
  'master',
  'ipv6LinkLocal',
] as const

/** Everything TUNSETIFF and the ioctls after it need, checked. */
export interface DriverSettings {
  name: string
  flags: number
  packetInformation: boolean
  vnetHeaderSize: number
  offload: 'off' | 'split' | 'whole'
  /** Undefined: all that the driver knows. */
  offloads: readonly Offload[] | undefined
  coalesce: boolean
  headroom: number
  tailroom: number
  owner: number | undefined
  group: number | undefined
  sendBuffer: number | undefined
  vnetEndianness: 'native' | 'little' | 'big'
}

const maxId = 2 ** 32 - 2

export function driverSettings(
  type: 'tap' | 'tun',
  given: TuntapOptions | undefined,
  pattern: boolean,
): DriverSettings {
  const options: TuntapOptions = requireOptions('options', given, [...driverKeys, ...linkKeys])
  const tap = type === 'tap'
  checkLinkOptions(options)
  for (const key of [
    'packetInformation',
    'multiQueue',
    'napi',
    'napiFragments',
    'carrier',
    'persist',
    'up',
    'coalesce',
  ] as const) {
    const value = options[key]
    if (value !== undefined && typeof value !== 'boolean') {
      throw invalidArgumentType(`options.${key}`, 'a boolean', value)
    }
  }
  const offload = offloadSettings(options)
  const { vnetHeaderSize } = offload
  if (options.napiFragments && !(tap && options.napi)) {
    throw invalidArgumentValue('options.napiFragments', true, 'needs a TAP with napi')
  }
  const vnetEndianness = options.vnetEndianness ?? 'native'
  if (!['native', 'little', 'big'].includes(vnetEndianness)) {
    throw invalidArgumentValue(
      'options.vnetEndianness',
      vnetEndianness,
      "must be 'native', 'little' or 'big'",
    )
  }
  if (vnetEndianness !== 'native' && !vnetHeaderSize) {
    throw invalidArgumentValue('options.vnetEndianness', vnetEndianness, 'needs a vnetHeaderSize')
  }
  return {
    name: options.name === undefined ? `${type}%d` : checkInterfaceName(options.name, { pattern }),
    flags:
      (tap ? flags.IFF_TAP : flags.IFF_TUN) |
      (options.packetInformation ? 0 : flags.IFF_NO_PI) |
      (options.multiQueue ? flags.IFF_MULTI_QUEUE : 0) |
      (vnetHeaderSize ? flags.IFF_VNET_HDR : 0) |
      (options.napi ? flags.IFF_NAPI : 0) |
      (options.napiFragments ? flags.IFF_NAPI_FRAGS : 0) |
      (options.carrier === false ? flags.IFF_NO_CARRIER : 0),
    packetInformation: options.packetInformation ?? false,
    ...offload,
    owner: optionalInteger('options.owner', options.owner, 0, maxId),
    group: optionalInteger('options.group', options.group, 0, maxId),
    sendBuffer: optionalInteger('options.sendBuffer', options.sendBuffer, 1, 2 ** 31 - 1),
    vnetEndianness,
  }
}

/** Of the options of a port that carries super-frames. */
export type OffloadOptions = Pick<
  DriverOptions,
  'vnetHeaderSize' | 'offload' | 'offloads' | 'coalesce' | 'headroom' | 'tailroom'
>

/** Those options, checked. */
export type OffloadSettings = Pick<
  DriverSettings,
  'vnetHeaderSize' | 'offload' | 'offloads' | 'coalesce' | 'headroom' | 'tailroom'
>

export function offloadSettings(options: OffloadOptions): OffloadSettings {
  const { offload = 'off', offloads } = options
  if (!['off', 'split', 'whole'].includes(offload)) {
    throw invalidArgumentValue('options.offload', offload, "must be 'off', 'split' or 'whole'")
  }
  const vnetHeaderSize = options.vnetHeaderSize ?? (offload === 'off' ? 0 : 10)
  if (![0, 10, 12, 24].includes(vnetHeaderSize)) {
    throw invalidArgumentValue('options.vnetHeaderSize', vnetHeaderSize, 'must be 0, 10, 12 or 24')
  }
  if (offload !== 'off' && !vnetHeaderSize) {
    throw invalidArgumentValue('options.offload', offload, 'needs a vnetHeaderSize')
  }
  if (offloads !== undefined) {
    offloadMask('options.offloads', offloads)
    if (offload === 'off') {
      throw invalidArgumentValue('options.offloads', offloads, "needs offload 'split' or 'whole'")
    }
    if (offloads.includes('udp-tunnel') && vnetHeaderSize !== 24) {
      throw invalidArgumentValue('options.vnetHeaderSize', vnetHeaderSize, "must be 24 for 'udp-tunnel'")
    }
  }
  const { coalesce = offload !== 'off' } = options
  if (coalesce && offload === 'off') {
    throw invalidArgumentValue('options.coalesce', coalesce, "needs offload 'split' or 'whole'")
  }
  const headroom = requireInteger('options.headroom', options.headroom ?? 0, 0, 4096)
  const tailroom = requireInteger('options.tailroom', options.tailroom ?? 0, 0, 4096)
  return { vnetHeaderSize, offload, offloads, coalesce, headroom, tailroom }
}

/** What netlink will be told, checked before there is a device. */
function checkLinkOptions(options: LinkOptions): void {
  const { mtu, addresses, macAddress, txQueueLength, master, ipv6LinkLocal } = options
  optionalInteger('options.mtu', mtu, 68, 65535)
  optionalInteger('options.txQueueLength', txQueueLength, 0, 2 ** 31 - 1)
  if (macAddress !== undefined && parseMacAddress(macAddress)[0]! & 1) {
    throw invalidArgumentValue('options.macAddress', macAddress, 'must not be a group address')
  }
  if (addresses !== undefined) {
    if (!Array.isArray(addresses))
      throw invalidArgumentType('options.addresses', 'an array of strings', addresses)
    for (const address of addresses) {
      if (parseIpPrefix(address).bytes.every(byte => byte === 0)) {
        throw invalidArgumentValue('options.addresses', address, 'must not hold the unspecified address')
      }
    }
  }
  if (typeof master === 'string') checkInterfaceName(master)
  else optionalInteger('options.master', master, 1, 2 ** 31 - 1)
  if (ipv6LinkLocal !== undefined && ipv6LinkLocal !== 'none' && ipv6LinkLocal !== 'eui64') {
    throw invalidArgumentValue('options.ipv6LinkLocal', ipv6LinkLocal, "must be 'none' or 'eui64'")
  }
}

function optionalInteger(
  name: string,
  value: number | undefined,
  min: number,
  max: number,
): number | undefined {
  return value === undefined ? undefined : requireInteger(name, value, min, max)
}
