import { SystemError } from '../errors/index.js'
import { type NativeTuntapIdentity, type NativeTuntapSettings, native } from '../native.js'
import { type NamespaceReference, namespaceDescriptor } from '../netns/index.js'
import { requests } from './constants.js'

export type { NativeTuntapIdentity as TuntapIdentity }

export function openTuntap(
  reference: NamespaceReference | undefined,
  name: string,
  flags: number,
  mustExist: boolean,
  settings: NativeTuntapSettings,
): NativeTuntapIdentity {
  using namespace = namespaceDescriptor(reference)
  return native().openTuntap(namespace.fd, name, flags, mustExist, settings)
}

/** What {@link openTuntap} does after it has attached. */
export function configureTuntap(
  reference: NamespaceReference | undefined,
  fd: number,
  settings: NativeTuntapSettings,
): void {
  using namespace = namespaceDescriptor(reference)
  native().configureTuntap(namespace.fd, fd, settings)
}

/** The device of a macvtap; `path`: where sysfs tells its number. */
export function openMacvtapDevice(reference: NamespaceReference | undefined, path: string): number {
  using namespace = namespaceDescriptor(reference)
  return native().openMacvtap(namespace.fd, path)
}

export function identifyTuntap(fd: number): NativeTuntapIdentity {
  return native().identifyTuntap(fd)
}

/** One ioctl. Errors name it as their `request`, and the device as their `subject`. */
export function control(fd: number, name: string, request: keyof typeof requests, value = 0): number {
  return about(name, () => native().controlTuntap(fd, requests[request], value))
}

/** Whether a request goes through; it is not undone. */
export function driverAccepts(fd: number, name: string, request: keyof typeof requests, value = 0): boolean {
  try {
    control(fd, name, request, value)
    return true
  } catch (error) {
    if (error instanceof SystemError) return false
    throw error
  }
}

export function attachFilter(fd: number, name: string, program: Uint8Array): void {
  about(name, () => native().attachTuntapFilter(fd, program))
}

export function setTxFilter(fd: number, name: string, allMulticast: boolean, addresses: Uint8Array): number {
  return about(name, () => native().setTuntapTxFilter(fd, allMulticast, addresses))
}

export function closeDescriptor(fd: number): void {
  native().closeDescriptor(fd)
}

/** It is the caller's, also where the worker ends. */
export function disownDescriptor(fd: number): void {
  native().disownDescriptor(fd)
}

/** Close-on-exec always; blocking or not as asked. */
export function prepareDescriptor(fd: number, nonBlocking: boolean): void {
  native().prepareDescriptor(fd, nonBlocking)
}

/** Leaves a descriptor for another worker of this process, with a note. */
export function park(token: string, fd: number, note: string): void {
  native().park(token, fd, note)
}

export function claim(token: string): { fd: number; note: string } | undefined {
  return native().claim(token)
}

function about<T>(subject: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const { errno, syscall, request, code } = error
    const hint = hints[`${request} ${code}`]
    throw new SystemError({ errno, syscall, request, subject, hint, cause: error })
  }
}

const hints: Readonly<Record<string, string>> = {
  'TUNSETVNETBE EINVAL': 'this kernel is built without CONFIG_TUN_VNET_CROSS_LE',
  'TUNSETQUEUE EINVAL': 'the device was opened without multiQueue',
  'TUNSETOFFLOAD EINVAL': 'the driver lacks one of these offloads; tuntapFeatures() tells which it has',
  'TUNGETDEVNETNS EPERM':
    'the device is where this process lacks CAP_NET_ADMIN, or may be: its link cannot be asked about',
  'TUNATTACHFILTER EINVAL': 'only TAP devices take it, and only valid programs',
  'TUNDETACHFILTER EINVAL': 'only TAP devices have it',
}
