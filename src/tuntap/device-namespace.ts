import { fstatSync, statSync } from 'node:fs'
import { SystemError } from '../errors/index.js'
import { closeDescriptor, control } from './handle.js'

/** The namespace a device lives in, for the time of a synchronous call. */
export interface DeviceNamespace extends Disposable {
  /** `undefined`: where the process is. */
  readonly reference: { readonly fd: number; readonly id: string } | undefined
  /** Device and inode number. */
  readonly id: string
}

/**
 * TUNGETDEVNETNS: where the device behind `fd` is now, wherever it was opened. Who lacks the right to ask
 * (CAP_NET_ADMIN there) is told of where the process is, the only network he can do anything in.
 */
export function deviceNamespace(fd: number, name: string): DeviceNamespace {
  let namespace: number
  try {
    namespace = control(fd, name, 'TUNGETDEVNETNS')
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EPERM') throw error
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

function identity({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}:${ino}`
}
