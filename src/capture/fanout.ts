import {
  invalidArgumentType,
  invalidArgumentValue,
  requireBoolean,
  requireInteger,
  requireOptions,
} from '../errors/index.js'
import { FilterProgram } from '../filter/index.js'

/** PACKET_FANOUT_ of include/uapi/linux/if_packet.h: by which rule a frame goes to one capture of the group. */
const modes: Readonly<Record<FanoutMode, number>> = {
  /** By flow: all frames of a connection go to the same one. */
  hash: 0,
  /** To one after the other. */
  'round-robin': 1,
  /** By the processor that received the frame. */
  cpu: 2,
  /** To the first that has room. */
  rollover: 3,
  random: 4,
  /** By the queue of the device. */
  queue: 5,
  /** As a program says. */
  program: 6,
}
const eBpf = 7
const flags = { rollover: 0x1000, uniqueId: 0x2000, ignoreOutgoing: 0x4000, defragment: 0x8000 } as const

export type FanoutMode = 'hash' | 'round-robin' | 'cpu' | 'rollover' | 'random' | 'queue' | 'program'

/**
 * Several captures of one interface, in one process or many of the same user, get each frame once between them. The
 * interface must be up. All members give the same mode and flags.
 */
export interface FanoutOptions {
  mode: FanoutMode
  /** Number of the group in its namespace, 0 to 65535. Without it a new group, whose number is `fanoutGroup`. */
  group?: number | undefined
  /** What has no room at the one goes to another. Default false. */
  rollover?: boolean | undefined
  /** Fragments of IPv4 are put together first, so that they go where their flow goes. Default false. */
  defragment?: boolean | undefined
  /**
   * With mode `program`: what it returns, modulo the members, says who gets the frame. Classic BPF, or the descriptor
   * of a loaded eBPF program.
   */
  program?: FilterProgram | number | undefined
}

export interface FanoutSettings {
  /** As PACKET_FANOUT takes it. */
  argument: number
  program: Uint8Array | undefined
  descriptor: number
}

export function fanoutSettings(given: FanoutOptions): FanoutSettings {
  const keys = ['mode', 'group', 'rollover', 'defragment', 'program'] as const
  const { mode, group, program, ...options } = requireOptions('options.fanout', given, keys)
  if (typeof mode !== 'string' || !Object.hasOwn(modes, mode)) {
    const words = Object.keys(modes).join(', ')
    throw invalidArgumentValue('options.fanout.mode', mode, `must be one of ${words}`)
  }
  if ((mode === 'program') !== (program !== undefined)) {
    throw invalidArgumentValue('options.fanout.program', program, "goes with mode 'program'")
  }
  const descriptor =
    typeof program === 'number' ? requireInteger('options.fanout.program', program, 0, 2 ** 31 - 1) : -1
  if (program !== undefined && typeof program !== 'number' && !(program instanceof FilterProgram)) {
    throw invalidArgumentType('options.fanout.program', 'a FilterProgram or a descriptor', program)
  }
  const id = requireInteger('options.fanout.group', group ?? 0, 0, 0xffff)
  let type: number = descriptor >= 0 ? eBpf : modes[mode]
  if (group === undefined) type |= flags.uniqueId
  if (requireBoolean('options.fanout.rollover', options.rollover)) type |= flags.rollover
  if (requireBoolean('options.fanout.defragment', options.defragment)) type |= flags.defragment
  return {
    argument: ((type << 16) | id) >>> 0,
    program: program instanceof FilterProgram ? program.bytes() : undefined,
    descriptor,
  }
}

/** The group takes frames for its members, so it is the one that must know that those that leave are not wanted. */
export function withoutOutgoing(argument: number): number {
  return (argument | (flags.ignoreOutgoing << 16)) >>> 0
}
