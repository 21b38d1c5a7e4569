import { SystemError } from '../errors/index.js'
import {
  type NativePacketPort,
  type NativePacketRing,
  type NativePacketSettings,
  native,
  type OnReady,
} from '../native.js'

export type { NativePacketPort, NativePacketRing }

/** What a ring is opened with, beside numbers. */
export interface RingPrograms {
  filter: Uint8Array
  fallback: Uint8Array
  fanout: Uint8Array | undefined
  multicast: Uint8Array
}

/** Opens a packet socket and its ring, off this thread. */
export async function openRing(
  namespace: number,
  subject: string,
  settings: NativePacketSettings,
  { filter, fallback, fanout, multicast }: RingPrograms,
): Promise<NativePacketRing> {
  try {
    return await native().openPacketRing(namespace, settings, filter, fallback, fanout, multicast)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const { errno, syscall, request, code } = error
    const hint = hints[`${request} ${code}`]
    throw new SystemError({ errno, syscall, request, subject, hint, cause: error })
  }
}

export function createPacketPort(
  ring: NativePacketRing,
  index: number,
  onReady: OnReady,
  onClosed: () => void,
): NativePacketPort {
  return new (native().PacketPort)(ring.ring, index, onReady, onClosed)
}

/** Closes a ring that is not wanted after all. */
export function discardRing(ring: NativePacketRing): Promise<void> {
  return new Promise(resolve => createPacketPort(ring, 0, () => {}, resolve).close())
}

export function openPipe(): [number, number] {
  return native().openPipe()
}

export function closeDescriptor(fd: number): void {
  native().closeDescriptor(fd)
}

/** Somebody else closes it. */
export function disownDescriptor(fd: number): void {
  native().disownDescriptor(fd)
}

const rights = 'capturing needs CAP_NET_RAW in the user namespace that owns the network namespace'

const hints: Readonly<Record<string, string>> = {
  'AF_PACKET EPERM': rights,
  'AF_PACKET EACCES': rights,
  'AF_PACKET EAFNOSUPPORT': 'this kernel has no packet sockets: CONFIG_PACKET',
  'CLONE_NEWNET EPERM': 'entering a network namespace needs CAP_SYS_ADMIN in the user namespace that owns it',
  'PACKET_RX_RING ENOMEM': 'there is no memory for a ring of this size: take fewer or smaller blocks',
  'PACKET_RX_RING EINVAL': 'blockSize must be a multiple of the page size',
  'PACKET_FANOUT EINVAL':
    'the group has another mode, other flags or another interface, or the interface is down',
  'PACKET_FANOUT ENOSPC': 'the group is full',
  'PACKET_FANOUT_DATA EPERM': 'the program of a fanout can be set by its first member, and not if locked',
  'SIOCSHWTSTAMP ENOTSUP': 'this device does not stamp frames',
  'SIOCSHWTSTAMP ERANGE': 'this device cannot stamp all frames that it receives',
  'SIOCSHWTSTAMP EPERM': 'to have a device stamp frames needs CAP_NET_ADMIN',
}
