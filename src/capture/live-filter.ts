import { SystemError } from '../errors/index.js'
import { compileFilter, FilterProgram, type Instruction } from '../filter/index.js'
import type { CaptureLinkType } from './link-type.js'
import type { CaptureFilter } from './options.js'

/** A filter as the kernel gets it. */
export interface LiveFilter {
  /** What the user asked for; `undefined`: everything. */
  readonly program: FilterProgram | undefined
  /** With what the capture itself leaves out before it. Empty where it is too long for the kernel. */
  readonly filter: Uint8Array
  /** For a kernel that refuses it: what the capture itself leaves out, and no more. */
  readonly fallback: Uint8Array
}

export interface LiveFilterOptions {
  linkType: CaptureLinkType
  snapLength: number
  resolve: ((name: string) => readonly string[]) | undefined
  netmask: string | undefined
  /** Only what leaves. */
  onlyOutgoing: boolean
  /** On the loopback interface, among others, each frame is seen as it leaves and as it arrives: once is enough. */
  loopbackOnce: boolean
}

// linux/bpf_common.h, and SKF_AD_PKTTYPE and SKF_AD_IFINDEX of linux/filter.h.
const packetType: Instruction = { code: 0x20, jt: 0, jf: 0, k: 0xfffff004 }
const interfaceIndex: Instruction = { code: 0x20, jt: 0, jf: 0, k: 0xfffff008 }
const refuse: Instruction = { code: 0x06, jt: 0, jf: 0, k: 0 }
/** Programs begin with both registers 0. */
const clear: Instruction = { code: 0x00, jt: 0, jf: 0, k: 0 }
/** PACKET_OUTGOING of linux/if_packet.h; the loopback interface has the same index everywhere (LOOPBACK_IFINDEX). */
const outgoing = 4
const loopback = 1

/** @throws FilterError for an expression that is wrong */
export function liveFilter(filter: CaptureFilter | undefined, options: LiveFilterOptions): LiveFilter {
  const { linkType, snapLength, resolve, netmask } = options
  const program =
    typeof filter === 'string'
      ? compileFilter(filter, { linkType, snapLength, resolve, netmask, live: true })
      : filter
  const before = leftOut(options)
  // The kernel cuts frames to what the filter returns, and not without one.
  const all = [{ code: 0x06, jt: 0, jf: 0, k: snapLength }]
  const whole = new FilterProgram([...before, ...(program?.instructions ?? all)])
  return {
    program,
    filter: whole.fitsKernel ? whole.bytes() : new Uint8Array(0),
    fallback: new FilterProgram([...before, ...all]).bytes(),
  }
}

function leftOut({ onlyOutgoing, loopbackOnce }: LiveFilterOptions): Instruction[] {
  if (onlyOutgoing) return [packetType, jumpIfEqual(outgoing, 1, 0), refuse, clear]
  if (!loopbackOnce) return []
  return [interfaceIndex, jumpIfEqual(loopback, 0, 3), packetType, jumpIfEqual(outgoing, 0, 1), refuse, clear]
}

function jumpIfEqual(k: number, jt: number, jf: number): Instruction {
  return { code: 0x15, jt, jf, k }
}

/** Why a filter is not run by the kernel. */
export function filterRefusal(errno: number): SystemError {
  return new SystemError({
    errno: -errno,
    syscall: 'setsockopt',
    request: 'SO_ATTACH_FILTER',
    hint:
      errno === 12
        ? 'the program exceeds the sysctl net.core.optmem_max'
        : 'the kernel takes up to 4096 instructions, and fewer where they expand',
  })
}
