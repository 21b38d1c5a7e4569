import { SystemError } from '../../errors/index.js'
import { native } from '../../native.js'
import { type NamespaceReference, namespaceDescriptor } from '../../netns/index.js'

/** Calls `body` with a socket in the namespace, for requests that go by ioctl. */
export function withSocket<T>(where: NamespaceReference | undefined, body: (socket: number) => T): T {
  using namespace = namespaceDescriptor(where)
  const socket = native().openInetSocket(namespace.fd, false, true, false, undefined, 0, 0)
  try {
    return body(socket)
  } finally {
    native().closeDescriptor(socket)
  }
}

/** struct ethtool_drvinfo, of a device by name. */
export function readDriver(socket: number, name: string): Uint8Array {
  return named(name, () => native().ethtoolDriver(socket, encode(name)))
}

/** Names of 32 bytes each, then 64-bit values: as many of the one as of the other. */
export function readDriverStatistics(socket: number, name: string): { count: number; bytes: Uint8Array } {
  const bytes = named(name, () => native().ethtoolStatistics(socket, encode(name)))
  return { count: bytes.length / 40, bytes }
}

function encode(name: string): Uint8Array {
  return new TextEncoder().encode(name)
}

function named<T>(name: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const { errno, syscall, request } = error
    throw new SystemError({ errno, syscall, request, subject: name, cause: error })
  }
}
