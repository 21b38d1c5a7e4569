import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { NetloomError, SystemError } from '../errors/index.js'
import { native } from '../native.js'

/** Where `ip netns` keeps the names (iproute2, include/namespace.h). */
export const namesDirectory = '/run/netns'

const hints = {
  create:
    'creating a network namespace needs CAP_SYS_ADMIN; an ordinary user can do it with userNamespace: true',
  createWithUser:
    'the system does not let this user create user namespaces: see the sysctls user.max_user_namespaces and, on Debian and Ubuntu, kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns',
  name: `naming a namespace mounts a file in ${namesDirectory}: that needs root, with CAP_SYS_ADMIN`,
  open: 'looking into the namespaces of a process needs its user or CAP_SYS_PTRACE',
  enter: 'entering a network namespace needs CAP_SYS_ADMIN in it',
  socket: 'the address or port is reserved: ports below 1024 need CAP_NET_BIND_SERVICE in the namespace',
  sysctl: 'settings of a network belong to root in the user namespace that owns it',
} as const

/** Runs `call`; what the kernel refuses for lack of a right says which right. */
export function withHint<T>(hint: keyof typeof hints, subject: string | undefined, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw explain(error, hint, subject)
  }
}

function explain(error: unknown, hint: keyof typeof hints, subject: string | undefined): unknown {
  if (!(error instanceof Error) || typeof (error as NodeJS.ErrnoException).errno !== 'number') return error
  const { errno, syscall, code, request } = error as NodeJS.ErrnoException & { request?: string }
  const denied = code === 'EPERM' || code === 'EACCES'
  return new SystemError({
    errno: errno!,
    syscall: syscall ?? 'unknown',
    request,
    subject,
    hint: denied || (hint === 'createWithUser' && code === 'ENOSPC') ? hints[hint] : undefined,
    cause: error,
  })
}

export function createNamespace(withUser: boolean, beside: number): number {
  return withHint(withUser ? 'createWithUser' : 'create', undefined, () =>
    native().createNamespace(withUser, beside),
  )
}

export function nameNamespace(fd: number, name: string): void {
  try {
    withHint('name', name, () => native().nameNamespace(fd, namesDirectory, `${namesDirectory}/${name}`))
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EEXIST') throw error
    throw new NetloomError('ERR_NAMESPACE_EXISTS', `there is a namespace named ${name} already`, {
      cause: error,
    })
  }
}

export function unnameNamespace(name: string): void {
  try {
    withHint('name', name, () => native().unnameNamespace(`${namesDirectory}/${name}`))
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'ENOENT') throw error
    throw notFound(`there is no namespace named ${name}`, error)
  }
}

/** Opens a namespace file; `what` is how the caller named it. */
export function openNamespace(path: string, what: string): number {
  let fd: number
  try {
    // Node closes the descriptors of a worker's `fs` with the worker: ours is a copy that it knows nothing of.
    const file = withHint('open', path, () => openSync(path, 'r'))
    try {
      fd = native().duplicateDescriptor(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH' && error.code !== 'ENOTDIR') throw error
    throw notFound(`there is no ${what}`, error)
  }
  return checked(fd, what)
}

export function duplicateNamespace(fd: number): number {
  return checked(native().duplicateDescriptor(fd), `namespace at descriptor ${fd}`)
}

function checked(fd: number, what: string): number {
  if (native().isNetworkNamespace(fd)) return fd
  closeDescriptor(fd)
  throw notFound(`${what} is not a network namespace`)
}

function notFound(message: string, cause?: unknown): NetloomError {
  return new NetloomError('ERR_NAMESPACE_NOT_FOUND', message, { cause })
}

/** Device and inode of a namespace file, which no two living namespaces share. */
export function identify(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return `${dev}:${ino}`
}

export function identifyFile(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

/** No longer closed with this thread: somebody else does. */
export function disownDescriptor(fd: number): number {
  native().disownDescriptor(fd)
  return fd
}

export function closeDescriptor(fd: number): void {
  native().closeDescriptor(fd)
}

/** Opens a file as it is seen from inside. */
export function openFileInside(namespace: number, path: string, write: boolean): number {
  return native().openFile(namespace, path, write)
}

/** A descriptor of the user namespace that owns this one. */
export function openOwner(fd: number): number {
  return withHint('enter', undefined, () => native().namespaceOwner(fd))
}

/**
 * Calls `body`, which must be synchronous, with this thread inside the namespace; `undefined` when the thread may
 * not go there.
 */
export function callInside<T>(fd: number, body: () => T): { value: T } | undefined {
  const binding = native()
  let home: number
  try {
    home = binding.enterNamespace(fd)
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EPERM') return undefined
    throw error
  }
  try {
    return { value: body() }
  } finally {
    binding.leaveNamespace(home)
  }
}

export interface SocketAddress {
  bytes: Uint8Array
  port: number
  scope: number
}

export function openSocket(
  namespace: number,
  kind: { ipv6: boolean; datagram: boolean; ipv6Only: boolean },
  bind: SocketAddress | undefined,
): number {
  return withHint('socket', undefined, () =>
    native().openInetSocket(
      namespace,
      kind.ipv6,
      kind.datagram,
      kind.ipv6Only,
      bind?.bytes,
      bind?.port ?? 0,
      bind?.scope ?? 0,
    ),
  )
}
