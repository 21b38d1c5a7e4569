/**
 * Finds and loads the addon, once, when something first needs it. Only `handle.ts` files import this one;
 * everything pure therefore loads on any platform.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NetloomError, SystemError } from './errors/index.js'

/** A piece of frame memory; see native/slab.h. */
export interface NativeSlab {
  /** Names it in calls. */
  readonly number: number
  /**
   * Offsets and lengths, `Slab.frames` 32-bit numbers each, then `Slab.headerBytes` a frame; then what captures know:
   * times of 64 bits, and original lengths, flags, VLAN tags and interfaces of 32.
   */
  columns(): ArrayBuffer
  expose(): ArrayBuffer
  hide(buffer: ArrayBuffer): void
}

/** Calls on what carries frames; ports and slabs are named by their numbers. See native/port.h. */
export interface NativePortCalls {
  receive(
    port: number,
    slab: number,
    cursor: number,
    first: number,
    maxFrames: number,
    maxBytes: number,
    budgeted: boolean,
  ): number
  sendSlab(
    port: number,
    slab: number,
    first: number,
    count: number,
    from: number,
    withHeaders: boolean,
    budgeted: boolean,
  ): number
  sendBytes(
    port: number,
    bytes: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    count: number,
    from: number,
    headers: Uint8Array | undefined,
    budgeted: boolean,
  ): number
  /** One frame; `undefined` when it is not over an ArrayBuffer that is there. */
  sendFrame(port: number, bytes: Uint8Array, budgeted: boolean): number | undefined
  /** 1 readable, 2 writable; errors are always reported. */
  watch(port: number, events: number): void
  /** Another turn of the loop has begun: the port has its share of work again. */
  renew(port: number): void
  ref(port: number, on: boolean): void
}

/** Status is 0 or a negative error number; `count` is what receive() would have said, and negative where nothing was read. */
export type OnReady = (status: number, events: number, count: number) => void

/** What carries frames, on the loop. */
export interface NativePortHandle {
  /** Names it in calls. */
  readonly number: number
  /** 32-bit numbers: how many frames and bytes a reader waits for, 0 for none. */
  readonly wanted: ArrayBuffer
  descriptor(): number
  /** Closes; with `handOver` the descriptor is returned open instead, where that is possible. */
  close(handOver?: boolean): number
}

/** What stands around each frame on a descriptor and, for room, in memory; struct Framing of native/sys/frame_io.h. */
export interface Framing {
  ethernet: boolean
  packetInformation: boolean
  vnetHeaderSize: number
  maxFrameLength: number
  /** The virtio-net header is in the byte order that is not the machine's. */
  swapped?: boolean
  /** Super-frames are cut as they are read. It stays so for the port's life. */
  split?: boolean
  /** Frames that may be joined when they are sent: `superFrameBits()` of src/port/handle.ts. */
  join?: number
  /** Super-frames that are neither joined nor sent whole: such bits. */
  refused?: number
  /** The descriptor may say that it is full. */
  bounded?: boolean
  /** Bytes that are left free before each frame that is read. */
  headroom?: number
  /** The same after it. */
  tailroom?: number
}

/** A descriptor that carries frames, on the loop; see native/frame_port_binding.h. */
export interface NativeFramePort extends NativePortHandle {
  setFraming(framing: Framing): void
}

/** A packet socket with its ring, on the loop; see native/packet_binding.h. */
export interface NativePacketPort extends NativePortHandle {
  /** 0 or an error number. */
  attachFilter(program: Uint8Array): number
  /** The column of VLAN tags has also those that are put back into the frames. */
  tellVlan(on: boolean): void
  /** Received, dropped, freezes, and frames that left the ring. */
  counters(values: BigUint64Array): void
  /** Frames of the block that comes next, 0 for none; budgetSpent. `report` has what was lost. */
  blockFrames(budgeted: boolean): number
  /**
   * Its number, or -1. Columns of so many entries: offsets in the block, lengths, original lengths, flags, VLAN tags
   * and interfaces of 32 bits, times of 64.
   */
  lendBlock(columns: Uint8Array): number
  showBlock(block: number): ArrayBuffer
  /** False for a block whose bytes were moved elsewhere. */
  giveBack(block: number, buffer: ArrayBuffer | undefined): boolean
  /** Polling would return at once, over and over. */
  newestIsLent(): boolean
  /** The interface is deleted, or in another namespace. */
  isGone(): boolean
  /** Writes what comes to a descriptor on a thread of its own; bounds are 0 for none, an empty filter takes all. */
  record(
    fd: number,
    pcapng: boolean,
    head: Uint8Array,
    skip: number,
    filter: Uint8Array,
    maxPackets: number,
    maxBytes: number,
    maxMilliseconds: number,
    onEnd: (
      reason: number,
      packets: number,
      bytes: number,
      dropped: number,
      errno: number,
      syscall: string,
    ) => void,
  ): void
  stopRecording(atOnce: boolean): void
}

/** A forward between two ports on a thread of its own; see native/forwarding.h. */
export interface NativeForward {
  /** `report` has whether it runs, the port because of which it ended or -1, why, and ports in trouble (bits). */
  tell(): void
  /** It is when this returns. */
  setPaused(paused: boolean): void
  /** Of each direction: received frames and bytes, sent frames and bytes, filtered, incomplete, too long, refused, left over. */
  counters(values: BigUint64Array): void
  /** A number for the calls below. `directions`: 1 for frames of the first port, 2 for those of the second. */
  observe(directions: number, snapLength: number, frames: number): number
  take(
    observer: number,
    slab: number,
    cursor: number,
    first: number,
    maxFrames: number,
    maxBytes: number,
  ): number
  /** Frames that it had no room for. */
  observed(observer: number): number
  unobserve(observer: number): void
  ref(on: boolean): void
  /** The ports are free when this returns; counters stay, and what observers have. */
  close(): void
}

/** What openPacketRing takes; see native/sys/packet_socket.h. What is absent is 0 or false. */
export interface NativePacketSettings {
  interface: number
  protocol: number
  /** Without link header. */
  cooked: boolean
  /** With a header of LINKTYPE_LINUX_SLL2 in its place. */
  cookedHeader: boolean
  lowLatency: boolean
  blockSize: number
  blockCount: number
  frameSize: number
  timeoutMs: number
  snapLength: number
  promiscuous: boolean
  allMulticast: boolean
  ignoreOutgoing: boolean
  hardwareTime: boolean
  inlineVlan: boolean
  qdiscBypass: boolean
  vnetHeader: boolean
  /** Super-frames are cut as they are read. */
  split: boolean
  joinFanout: boolean
  fanout: number
  fanoutDescriptor: number
}

/** A ring that nobody has claimed yet. */
export interface NativePacketRing {
  /** For the constructor of PacketPort, once. */
  ring: object
  /** Error number for which the filter was refused; 0: it is in force. */
  filterError: number
  /** -1: none. */
  fanoutGroup: number
  /** The interface is there, and down. */
  down: boolean
}

/** A UDP socket on the loop; see native/udp_binding.h. Endpoints are 24 bytes. */
export interface NativeUdpPort {
  receive(
    slab: number,
    cursor: number,
    first: number,
    maxDatagrams: number,
    maxBytes: number,
    budgeted: boolean,
  ): number
  sendSlab(
    slab: number,
    first: number,
    count: number,
    from: number,
    /** Each to where it came from. */
    answer: boolean,
    endpoint: number,
    local: number,
    typeOfService: number,
    budgeted: boolean,
  ): number
  sendBytes(
    bytes: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    count: number,
    from: number,
    endpoints: Uint32Array | undefined,
    endpoint: number,
    local: number,
    typeOfService: number,
    budgeted: boolean,
  ): number
  /** False when there is none; `report` has errno, origin, type, code, MTU and endpoint. */
  readError(): boolean
  /** Its number. */
  intern(endpoint: Uint8Array): number
  /** False when the number is known no more. */
  endpoint(number: number, out: Uint8Array): boolean
  /** False when it has none. */
  local(out: Uint8Array, peer: boolean): boolean
  segments(): boolean
  descriptor(): number
  watch(events: number): void
  /** A new share of work begins. */
  renew(): void
  ref(on: boolean): void
  close(): void
}

/** A netlink socket on the loop; see native/netlink_binding.h. */
export interface NativeNetlinkSocket {
  /** Its address, which replies carry. */
  readonly port: number
  /** Bytes, as the kernel counts them, when it was opened. */
  readonly receiveBuffer: number
  /** 0 or an error number. The kernel answers before this returns. */
  send(bytes: Uint8Array): number
  /** Datagrams read; `report` has what ended it (0: memory full) and the length of one that was cut. */
  receive(
    slab: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    namespaces: Int32Array | undefined,
  ): number
  /** Blocks until readable: 0, or an error number (EAGAIN: time is up). */
  wait(milliseconds: number): number
  setMembership(group: number, join: boolean): void
  setReceiveBuffer(bytes: number): number
  watch(readable: boolean): void
  ref(on: boolean): void
  close(): void
}

export interface NativeTuntapIdentity {
  fd: number
  name: string
  flags: number
  index: number
}

export interface NativeTuntapSettings {
  owner?: number | undefined
  group?: number | undefined
  sendBuffer?: number | undefined
  vnetHeaderSize?: number | undefined
  offload?: number | undefined
}

export interface NativeBinding {
  initialize(makeSystemError: (errno: number, syscall: string, request?: string) => Error): void
  ports: NativePortCalls
  /** The slabs of this thread; kept here, as what was told of them to native code is, however often this is loaded. */
  slabPool?: unknown
  /** What calls report beside their result, 32-bit integers. */
  report: ArrayBuffer
  Slab: { new (): NativeSlab; bytes: number; frames: number; headerBytes: number }
  cutFrames(
    bytes: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    count: number,
    headers: Uint8Array | undefined,
    ethernet: boolean,
    headroom: number,
    tailroom: number,
    out: Uint8Array | undefined,
    outLengths: Uint32Array | undefined,
    outSources: Uint32Array | undefined,
  ): number
  FramePort: {
    new (fd: number, framing: Framing, onReady: OnReady): NativeFramePort
    maxFrame: number
  }
  PacketPort: {
    new (
      ring: object,
      index: number,
      onReady: OnReady,
      /** The socket is closed, which takes a while after `close()` was called. */
      onClosed: () => void,
    ): NativePacketPort
  }
  Forward: {
    new (
      a: number,
      b: number,
      ownThread: boolean,
      paused: boolean,
      /** Frames in the ring of a capture that are left out. */
      skipA: number,
      skipB: number,
      filterA: Uint8Array | undefined,
      filterB: Uint8Array | undefined,
      /** Bytes a second and burst, of each direction; 0 = none. */
      rates: Float64Array,
      onEvent: () => void,
    ): NativeForward
    /** A program on a packet: how many bytes it wants. */
    runFilter(
      program: Uint8Array,
      packet: Uint8Array,
      length: number,
      outgoing: boolean,
      interfaceIndex: number,
      vlan: number,
      protocol: number,
    ): number
  }
  openPacketRing(
    namespace: number,
    settings: NativePacketSettings,
    filter: Uint8Array,
    fallback: Uint8Array,
    fanoutProgram: Uint8Array | undefined,
    multicast: Uint8Array,
  ): Promise<NativePacketRing>
  UdpPort: {
    new (
      fd: number,
      ipv6: boolean,
      coalesce: boolean,
      segment: boolean,
      onReady: (status: number, events: number) => void,
    ): NativeUdpPort
    mostSegments: number
  }
  /** A descriptor; `report` says whether the kernel coalesces, and whether it segments. */
  openUdpSocket(
    namespace: number,
    settings: Int32Array,
    bind: Uint8Array,
    peer: Uint8Array,
    device: string,
  ): number
  NetlinkSocket: {
    new (
      namespace: number,
      protocol: number,
      groups: Uint32Array,
      receiveBuffer: number,
      onReady: (status: number) => void,
      allNamespaces: boolean,
    ): NativeNetlinkSocket
  }
  closeDescriptor(fd: number): void
  /** Descriptors that calls return are closed when this thread ends, if nobody did before; this one no longer. */
  disownDescriptor(fd: number): void
  duplicateDescriptor(fd: number): number
  prepareDescriptor(fd: number, nonBlocking: boolean): void
  /** Its end to read from and its end to write to. */
  openPipe(): [number, number]
  park(token: string, fd: number, note: string): void
  claim(token: string): { fd: number; note: string } | undefined
  openTuntap(
    namespace: number,
    name: string,
    flags: number,
    mustExist: boolean,
    settings: NativeTuntapSettings,
  ): NativeTuntapIdentity
  /** The settings of an attached descriptor, made inside. */
  configureTuntap(namespace: number, fd: number, settings: NativeTuntapSettings): void
  /** A descriptor of the device whose number a file of sysfs tells there. */
  openMacvtap(namespace: number, path: string): number
  identifyTuntap(fd: number): NativeTuntapIdentity
  controlTuntap(fd: number, request: number, value: number): number
  /**
   * A descriptor of a new network namespace: `withUser` in a new user namespace where we are root, or in that of
   * the namespace `beside`, which is -1 for none.
   */
  createNamespace(withUser: boolean, beside: number): number
  nameNamespace(fd: number, directory: string, path: string): void
  unnameNamespace(path: string): void
  isNetworkNamespace(fd: number): boolean
  /** A descriptor of the owning user namespace. */
  namespaceOwner(fd: number): number
  /** Moves this thread; the result goes to leaveNamespace, in the same turn. */
  enterNamespace(fd: number): number
  leaveNamespace(home: number): void
  openFile(namespace: number, path: string, write: boolean): number
  /** An unconnected socket, bound when there is an address. */
  openInetSocket(
    namespace: number,
    ipv6: boolean,
    datagram: boolean,
    ipv6Only: boolean,
    address: Uint8Array | undefined,
    port: number,
    scope: number,
  ): number
  /** struct ethtool_drvinfo, through any socket of the namespace. */
  ethtoolDriver(socket: number, name: Uint8Array): Uint8Array
  /** Names of 32 bytes each, then 64-bit values. */
  ethtoolStatistics(socket: number, name: Uint8Array): Uint8Array
  attachTuntapFilter(fd: number, program: Uint8Array): void
  setTuntapTxFilter(fd: number, allMulticast: boolean, addresses: Uint8Array): number
}

/** What is missing when a call is refused, wherever it was made. */
const hints = new Map([
  ['setns -1', 'entering a network namespace needs CAP_SYS_ADMIN in the user namespace that owns it'],
  ['setns -22', 'the descriptor is of no network namespace'],
])

let loaded: NativeBinding | undefined

/**
 * The addon.
 * @throws NetloomError `ERR_UNSUPPORTED_PLATFORM` elsewhere than on Linux, `ERR_ADDON_NOT_FOUND` with
 * every file that was tried
 */
export function native(): NativeBinding {
  loaded ??= load()
  return loaded
}

function load(): NativeBinding {
  if (process.platform !== 'linux') {
    throw new NetloomError(
      'ERR_UNSUPPORTED_PLATFORM',
      `Netloom opens devices on Linux only; this is ${process.platform}`,
    )
  }
  const require = createRequire(import.meta.url)
  const root = fileURLToPath(new URL('..', import.meta.url))
  const tried: string[] = []
  let cause: unknown
  for (const file of candidates(root)) {
    if (!existsSync(file)) {
      tried.push(`${file}: not there`)
      continue
    }
    try {
      const binding = require(file) as NativeBinding
      binding.initialize(
        (errno, syscall, request) =>
          new SystemError({ errno, syscall, request, hint: hints.get(`${syscall} ${errno}`) }),
      )
      return binding
    } catch (error) {
      cause = error
      tried.push(`${file}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
    }
  }
  throw new NetloomError(
    'ERR_ADDON_NOT_FOUND',
    `no addon of Netloom's could be loaded. Run "npm rebuild netloom" (needs g++, make and python3). Tried:\n  ${tried.join('\n  ')}`,
    { cause },
  )
}

// The C library of the running Node is found by trying: a build for the other one does not load.
function candidates(root: string): string[] {
  const prebuilds = join(root, 'prebuilds', `linux-${process.arch}`)
  return [
    join(prebuilds, 'netloom.glibc.node'),
    join(prebuilds, 'netloom.musl.node'),
    join(root, 'build', 'Release', 'netloom.node'),
    join(root, 'build', 'Debug', 'netloom.node'),
  ]
}
