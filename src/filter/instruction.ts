/** One instruction of classic BPF: `struct sock_filter` of linux/filter.h. */
export interface Instruction {
  /** The operation, as in linux/bpf_common.h. */
  code: number
  /** How many instructions a branch skips if its answer is yes. */
  jt: number
  /** How many it skips if it is no. */
  jf: number
  /** A constant, an offset or a slot of the memory; unsigned. */
  k: number
}

/** Operations of classic BPF (linux/bpf_common.h). */
export const operations = {
  ldWord: 0x20,
  ldHalf: 0x28,
  ldByte: 0x30,
  ldWordX: 0x40,
  ldHalfX: 0x48,
  ldByteX: 0x50,
  ldConstant: 0x00,
  ldMemory: 0x60,
  ldLength: 0x80,
  ldxConstant: 0x01,
  ldxMemory: 0x61,
  ldxLength: 0x81,
  ldxHeader: 0xb1,
  store: 0x02,
  storeX: 0x03,
  negate: 0x84,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterEqual: 0x35,
  jumpSet: 0x45,
  returnConstant: 0x06,
  returnA: 0x16,
  tax: 0x07,
  txa: 0x87,
} as const

/** Arithmetic on A and a constant; the same on A and X has bit 3 set. */
export const arithmetic = {
  '+': 0x04,
  '-': 0x14,
  '*': 0x24,
  '/': 0x34,
  '|': 0x44,
  '&': 0x54,
  '<<': 0x64,
  '>>': 0x74,
  '%': 0x94,
  '^': 0xa4,
} as const

/** In arithmetic and branches: the second operand is X. */
export const useX = 0x08

/** Words of memory that a program has (`BPF_MEMWORDS`). */
export const memoryWords = 16

/** Programs longer than this are refused by the kernel (`BPF_MAXINSNS`). */
export const kernelLimit = 4096

/** Absolute loads from here on ask for facts beside the packet (`SKF_AD_OFF`, -0x1000). */
export const extensionBase = 0xfffff000

/** Facts that the kernel keeps beside a packet (`SKF_AD_*` in linux/filter.h). */
export const extensions = {
  protocol: 0,
  packetType: 4,
  interfaceIndex: 8,
  netlink: 12,
  nestedNetlink: 16,
  mark: 20,
  queue: 24,
  hardwareType: 28,
  receiveHash: 32,
  processor: 36,
  xorX: 40,
  vlanTag: 44,
  vlanTagPresent: 48,
  payloadOffset: 52,
  random: 56,
  vlanProtocol: 60,
} as const
