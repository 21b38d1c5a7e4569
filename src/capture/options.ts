import { checkInterfaceName, parseMacAddress } from '../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
  requireBoolean,
  requireInteger,
  requireOptions,
} from '../errors/index.js'
import { FilterProgram, parseFilterProgram } from '../filter/index.js'
import { throwIfAborted } from '../lifecycle/index.js'
import type { NamespaceReference } from '../netns/index.js'
import { type FanoutSettings, fanoutSettings } from './fanout.js'
import type { CaptureLinkType } from './link-type.js'

export type { FanoutMode, FanoutOptions } from './fanout.js'

import type { FanoutOptions } from './fanout.js'

/** An expression of tcpdump's language, or a program: compiled with `live: true`, or the text of `tcpdump -ddd`. */
export type CaptureFilter = string | FilterProgram

/** How all interfaces of a namespace are captured at once. */
export interface CaptureAnyOptions {
  /** The namespace; default the process's own. */
  in?: NamespaceReference | undefined
  /** Frames that are wanted. Default all. */
  filter?: CaptureFilter | undefined
  /** Addresses of a host name in the filter, as text; without it names of hosts are refused. */
  resolve?: ((name: string) => readonly string[]) | undefined
  /** Mask of the IPv4 network, which `ip broadcast` in the filter needs: `'255.255.255.0'`. */
  netmask?: string | undefined
  /**
   * `batched` (default): the kernel hands frames over in blocks, when one is full and after {@link timeoutMs} at the
   * latest; least work. `low`: each frame at once.
   */
  latency?: 'batched' | 'low' | undefined
  /** Milliseconds that a frame waits for its block to fill, 1 to 10000, with `latency: 'batched'`. Default 10. */
  timeoutMs?: number | undefined
  /** Bytes of a block of the ring: a multiple of 4096, and more than the longest frame that is kept. Default 524288. */
  blockSize?: number | undefined
  /**
   * Blocks of the ring, 1 GiB of them at most. Default 64: 32 MiB. With `latency: 'batched'` a block is handed over after {@link timeoutMs}
   * however little is in it, so a reader that is late by more than both together (640 ms) may lose frames.
   */
  blockCount?: number | undefined
  /** Bytes that are kept of a frame, 64 (so that its headers can be read) to 262144. Default 262144: all, also of those that no device has cut yet. */
  snapLength?: number | undefined
  /** Frames that arrive, that leave, or both (default). */
  direction?: 'in' | 'out' | 'both' | undefined
  /** Do not show what leaves: as `direction: 'in'`, which it is the kernel's word for. */
  ignoreOutgoing?: boolean | undefined
  /** Spreads the frames over several captures. */
  fanout?: FanoutOptions | undefined
  /** EtherType of the frames that are wanted; then, as with the kernel, not those that leave. Default all. */
  protocol?: number | undefined
  /** A VLAN tag that the kernel took out is put back (`inline`, default), or is in the column `vlans`. */
  vlan?: 'inline' | 'metadata' | undefined
  /** Aborts the opening; later ends the capture, as `close()` does. */
  signal?: AbortSignal | undefined
}

/** How one interface is captured. */
export interface CaptureOptions extends CaptureAnyOptions {
  /** Name or index. */
  interface: string | number
  /** What frames begin with: as the interface has it unless given. `linux-sll2` is possible on every one. */
  linkType?: CaptureLinkType | undefined
  /** Frames to other hosts too. The interface is so until the capture ends. Default true. */
  promiscuous?: boolean | undefined
  /** Groups (MAC addresses) whose frames the interface shall receive, or `all`. Default none but its own. */
  multicast?: 'all' | readonly string[] | undefined
  /**
   * Whose clock stamps: the kernel's (`software`, default) or the device's, which is set to stamp all that it
   * receives; what it did not stamp has time 0.
   */
  timestamps?: 'software' | 'hardware' | undefined
  /** What is sent goes to the device at once, past its queueing discipline. Default false. */
  qdiscBypass?: boolean | undefined
  /**
   * What becomes of super-frames and of checksums that are left to a device (PACKET_VNET_HDR). `whole`: frames come with
   * the column `gso`, and what is sent may leave the same undone. `split`: received frames are cut and completed. For
   * Ethernet. Default 'off': frames are captured as they lie there.
   */
  offload?: 'off' | 'split' | 'whole' | undefined
}

const anyKeys = [
  'in',
  'filter',
  'resolve',
  'netmask',
  'latency',
  'timeoutMs',
  'blockSize',
  'blockCount',
  'snapLength',
  'direction',
  'ignoreOutgoing',
  'fanout',
  'protocol',
  'vlan',
  'signal',
] as const
const interfaceKeys = [
  'interface',
  'linkType',
  'promiscuous',
  'multicast',
  'timestamps',
  'qdiscBypass',
  'offload',
] as const

/** Options checked, with their defaults. */
export interface CaptureSettings {
  interface: string | number | undefined
  linkType: CaptureLinkType | undefined
  filter: CaptureFilter | undefined
  resolve: ((name: string) => readonly string[]) | undefined
  netmask: string | undefined
  lowLatency: boolean
  timeoutMs: number
  blockSize: number
  blockCount: number
  snapLength: number
  direction: 'in' | 'out' | 'both'
  protocol: number
  inlineVlan: boolean
  promiscuous: boolean
  allMulticast: boolean
  multicast: Uint8Array
  hardwareTime: boolean
  qdiscBypass: boolean
  offload: 'off' | 'split' | 'whole'
  fanout: FanoutSettings | undefined
}

/** ETH_P_ALL: include/uapi/linux/if_ether.h. */
const everyProtocol = 3

/** Beside the frame in a block: the block's header, the frame's, and what aligns it. */
const blockOverhead = 512

/** Bytes of a ring. The kernel charges its memory to nobody: too large a ring ends other programs. */
const maxRingSize = 2 ** 30

export function interfaceSettings(given: CaptureOptions): CaptureSettings {
  const options = requireOptions('options', given, [...anyKeys, ...interfaceKeys])
  const { promiscuous = true, multicast = [], timestamps = 'software', offload = 'off', linkType } = options
  if (typeof options.interface === 'string') checkInterfaceName(options.interface)
  else if (typeof options.interface === 'number')
    requireInteger('options.interface', options.interface, 1, 2 ** 31 - 1)
  else throw invalidArgumentType('options.interface', 'a name or an index', options.interface)
  oneOf('options.linkType', linkType, [undefined, 'ethernet', 'ip', 'linux-sll2'])
  oneOf('options.timestamps', timestamps, ['software', 'hardware'])
  oneOf('options.offload', offload, ['off', 'split', 'whole'])
  if (multicast !== 'all' && !Array.isArray(multicast)) {
    throw invalidArgumentType('options.multicast', "'all' or an array of MAC addresses", multicast)
  }
  const groups = multicast === 'all' ? [] : multicast.map(parseMacAddress)
  return {
    ...commonSettings(options),
    interface: options.interface,
    linkType,
    promiscuous: requireBoolean('options.promiscuous', promiscuous),
    allMulticast: multicast === 'all',
    multicast: Buffer.concat(groups),
    hardwareTime: timestamps === 'hardware',
    qdiscBypass: requireBoolean('options.qdiscBypass', options.qdiscBypass),
    offload,
  }
}

export function anySettings(given: CaptureAnyOptions | undefined): CaptureSettings {
  return {
    ...commonSettings(requireOptions('options', given, anyKeys)),
    interface: undefined,
    linkType: 'linux-sll2',
    promiscuous: false,
    allMulticast: false,
    multicast: new Uint8Array(0),
    hardwareTime: false,
    qdiscBypass: false,
    offload: 'off',
  }
}

type Common = Pick<
  CaptureSettings,
  | 'filter'
  | 'resolve'
  | 'netmask'
  | 'lowLatency'
  | 'timeoutMs'
  | 'blockSize'
  | 'blockCount'
  | 'snapLength'
  | 'direction'
  | 'protocol'
  | 'inlineVlan'
  | 'fanout'
>

function commonSettings(options: CaptureAnyOptions): Common {
  const { latency = 'batched', vlan = 'inline', direction = 'both', filter, resolve, netmask } = options
  throwIfAborted(options.signal)
  oneOf('options.latency', latency, ['batched', 'low'])
  oneOf('options.vlan', vlan, ['inline', 'metadata'])
  oneOf('options.direction', direction, ['in', 'out', 'both'])
  const ignoreOutgoing = requireBoolean('options.ignoreOutgoing', options.ignoreOutgoing)
  if (ignoreOutgoing && direction === 'out') {
    throw invalidArgumentValue('options.ignoreOutgoing', true, "leaves nothing with direction 'out'")
  }
  const snapLength = requireInteger('options.snapLength', options.snapLength ?? 262144, 64, 262144)
  const blockSize = requireInteger('options.blockSize', options.blockSize ?? 524288, 4096, 2 ** 26)
  if (blockSize % 4096 !== 0) throw outOfRange('options.blockSize', 'a multiple of 4096', blockSize)
  if (latency === 'batched' && blockSize < snapLength + blockOverhead) {
    throw outOfRange('options.blockSize', `at least ${blockOverhead} more than the snapLength`, blockSize)
  }
  const blockCount = requireInteger('options.blockCount', options.blockCount ?? 64, 1, 2 ** 16)
  if (blockSize * blockCount > maxRingSize) {
    throw outOfRange(
      'options.blockCount',
      `<= ${maxRingSize / blockSize}: a ring has 1 GiB at most`,
      blockCount,
    )
  }
  if (resolve !== undefined && typeof resolve !== 'function') {
    throw invalidArgumentType('options.resolve', 'a function', resolve)
  }
  return {
    filter: checkFilter('options.filter', filter),
    resolve,
    netmask,
    lowLatency: latency === 'low',
    timeoutMs: requireInteger('options.timeoutMs', options.timeoutMs ?? 10, 1, 10000),
    blockSize,
    blockCount,
    snapLength,
    direction: ignoreOutgoing ? 'in' : direction,
    protocol: requireInteger('options.protocol', options.protocol ?? everyProtocol, 1, 0xffff),
    inlineVlan: vlan === 'inline',
    fanout: options.fanout === undefined ? undefined : fanoutSettings(options.fanout),
  }
}

/** The text of `tcpdump -ddd` is a program; it begins with a number on a line of its own. */
export function checkFilter(name: string, filter: CaptureFilter | undefined): CaptureFilter | undefined {
  if (filter === undefined || filter instanceof FilterProgram) return filter
  if (typeof filter !== 'string') throw invalidArgumentType(name, 'a string or a FilterProgram', filter)
  return /^\s*\d+\s*(\n|$)/.test(filter) ? parseFilterProgram(filter) : filter
}

function oneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (allowed.includes(value)) return
  const words = allowed.filter(word => word !== undefined).map(word => `'${word}'`)
  throw invalidArgumentValue(name, value, `must be one of ${words.join(', ')}`)
}
