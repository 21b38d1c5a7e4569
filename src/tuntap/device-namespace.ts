import { fstatSync, statSync } from 'node:fs'
import type { NamespaceReference } from '../netns/index.js'
import { closeDescriptor, control } from './handle.js'

/** The namespace a device lives in, for the time of a synchronous call. */
export interface DeviceNamespace extends Disposable {
  /** `undefined`: where the process is. */
  readonly reference: NamespaceReference | undefined
  /** Device and inode number. */
  readonly id: string
}

/** TUNGETDEVNETNS: where the device behind `fd` is now, wherever it was opened. */
export function deviceNamespace(fd: number, name: string): DeviceNamespace {
  const namespace = control(fd, name, 'TUNGETDEVNETNS')
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
