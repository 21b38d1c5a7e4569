import { NetloomError, SystemError } from '../../errors/index.js'
import { type NativeNetlinkSocket, native } from '../../native.js'
import { type NamespaceReference, namespaceDescriptor } from '../../netns/index.js'

export type NetlinkSocket = NativeNetlinkSocket

/** Error numbers of include/uapi/asm-generic/errno*.h. */
const EAGAIN = 11
const EMSGSIZE = 90
const ENOBUFS = 105

// One for all sockets: what is read is decoded before anything else is read.
const slabBytes = 256 * 1024
const slabDatagrams = 256

interface Memory {
  slab: Uint8Array
  offsets: Uint32Array
  lengths: Uint32Array
  namespaces: Int32Array
}

let shared: Memory | undefined
let busy = false
let report: Int32Array | undefined

function allocate(): Memory {
  return {
    slab: new Uint8Array(slabBytes),
    offsets: new Uint32Array(slabDatagrams),
    lengths: new Uint32Array(slabDatagrams),
    namespaces: new Int32Array(slabDatagrams),
  }
}

export function openNetlinkSocket(
  where: NamespaceReference | undefined,
  options: {
    protocol: number
    groups?: readonly number[] | undefined
    receiveBuffer?: number | undefined
    /** Also what happens in namespaces that this one has ids for. */
    allNamespaces?: boolean | undefined
  },
  onReady: (status: number) => void,
): NetlinkSocket {
  using namespace = namespaceDescriptor(where)
  return new (native().NetlinkSocket)(
    namespace.fd,
    options.protocol,
    Uint32Array.from(options.groups ?? []),
    options.receiveBuffer ?? 0,
    onReady,
    options.allNamespaces ?? false,
  )
}

/** What ended a read. */
export type ReadEnd =
  /** Nothing more is there. */
  | 'drained'
  /** Perhaps more is there. */
  | 'full'
  /** The kernel dropped something; more may be there. */
  | 'overflow'

/**
 * Reads what fits into a slab, and hands over each datagram, lent; from sockets for all namespaces with the id of the
 * one that it is from, `undefined` for the socket's own.
 * @throws NetloomError `ERR_NETLINK_PROTOCOL` for a message beyond any sensible size; SystemError
 */
export function readDatagrams(
  socket: NetlinkSocket,
  take: (datagram: Uint8Array, namespaceId: number | undefined) => void,
  allNamespaces = false,
): ReadEnd {
  shared ??= allocate()
  const nested = busy
  const memory = nested ? allocate() : shared
  busy = true
  try {
    const namespaces = allNamespaces ? memory.namespaces : undefined
    const count = socket.receive(memory.slab, memory.offsets, memory.lengths, namespaces)
    report ??= new Int32Array(native().report, 0, 2)
    const error = report[0]!
    const needed = report[1]!
    for (let i = 0; i < count; i++) {
      const start = memory.offsets[i]!
      const id = namespaces?.[i] ?? -1
      take(memory.slab.subarray(start, start + memory.lengths[i]!), id < 0 ? undefined : id)
    }
    if (error === 0) return 'full'
    if (error === EAGAIN) return 'drained'
    if (error === ENOBUFS) return 'overflow'
    if (error === EMSGSIZE) {
      throw new NetloomError(
        'ERR_NETLINK_PROTOCOL',
        `the kernel sent a netlink message of ${needed} bytes, more than there is room for`,
      )
    }
    throw new SystemError({ errno: -error, syscall: 'recvmsg', request: 'AF_NETLINK' })
  } finally {
    busy = nested
  }
}

export function sendDatagram(socket: NetlinkSocket, bytes: Uint8Array): void {
  const error = socket.send(bytes)
  if (error !== 0) throw new SystemError({ errno: -error, syscall: 'sendto', request: 'AF_NETLINK' })
}

/** Blocks until something is there; false when time is up. */
export function waitReadable(socket: NetlinkSocket, milliseconds: number): boolean {
  const error = socket.wait(milliseconds)
  if (error !== 0 && error !== EAGAIN) throw new SystemError({ errno: -error, syscall: 'poll' })
  return error === 0
}
