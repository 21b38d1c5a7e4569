import { fstatSync, statSync } from 'node:fs'
import { NetloomError, SystemError } from '../errors/index.js'
import { RouteConnection } from '../netlink/route/index.js'
import type { NamespaceReference } from '../netns/index.js'
import { closeDescriptor, control, identifyTuntap } from './handle.js'

/** The namespace a device lives in, for the time of a synchronous call. */
export interface DeviceNamespace extends Disposable {
  /** `undefined`: where the process is. */
  readonly reference: { readonly fd: number; readonly id: string } | undefined
  /** Device and inode number. */
  readonly id: string
}

/**
 * TUNGETDEVNETNS: where the device behind `fd` is now, wherever it was opened. `home`: its index, if it was opened where the
 * process is: who lacks the right to ask knows it by that, if it is still there. A name alone may be another device's.
 * @throws SystemError `EPERM` for any other device, without CAP_NET_ADMIN where it is
 */
export function deviceNamespace(fd: number, name: string, home: number | undefined): DeviceNamespace {
  let namespace: number
  try {
    namespace = control(fd, name, 'TUNGETDEVNETNS')
  } catch (error) {
    if (!isUntold(error) || !isHere(fd, home)) throw error
    return { reference: undefined, id: identity(statSync('/proc/thread-self/ns/net')), [Symbol.dispose]() {} }
  }
  try {
    const id = identity(fstatSync(namespace))
    // Entering the own namespace would need rights that staying in it does not.
    if (id === identity(statSync('/proc/thread-self/ns/net'))) {
      closeDescriptor(namespace)
      return { reference: undefined, id, [Symbol.dispose]() {} }
    }
    return { reference: { fd: namespace, id }, id, [Symbol.dispose]: () => closeDescriptor(namespace) }
  } catch (error) {
    closeDescriptor(namespace)
    throw error
  }
}

/** {@link deviceNamespace} was refused. */
export function isUntold(error: unknown): error is SystemError {
  return error instanceof SystemError && error.code === 'EPERM' && error.request === 'TUNGETDEVNETNS'
}

/** The link of that index, where the process is, has the device's name. */
function isHere(fd: number, home: number | undefined): boolean {
  if (home === undefined) return false
  const { name } = identifyTuntap(fd)
  try {
    return askRoute(undefined, route => route.links.getSync(name).index === home)
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ERR_LINK_NOT_FOUND') return false
    throw error
  }
}

/** What netlink answers there, in this turn. */
export function askRoute<T>(where: NamespaceReference | undefined, ask: (route: RouteConnection) => T): T {
  const route = RouteConnection.open(where)
  try {
    return ask(route)
  } finally {
    route.close()
  }
}

function identity({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}:${ino}`
}
