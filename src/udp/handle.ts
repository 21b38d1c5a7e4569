import { type NativeUdpPort, native } from '../native.js'
import { type NamespaceReference, namespaceDescriptor } from '../netns/index.js'
import { report } from '../port/index.js'
import { Endpoint } from './endpoint.js'
import type { UdpSettings } from './options.js'

export type { NativeUdpPort }

/** Readiness bits of `watch()` and of the callback. */
export const readable = 1
export const writable = 2
/** Of `watch()` alone: what lies in the queue of errors is told also while nobody waits for datagrams or room. */
export const errors = 8

/** Most datagrams that the kernel hands over as one: so many places must be free. */
export function mostSegments(): number {
  return native().UdpPort.mostSegments
}

export function openUdp(
  reference: NamespaceReference | undefined,
  settings: UdpSettings,
  onReady: (status: number, events: number) => void,
): { port: NativeUdpPort; coalesces: boolean } {
  const { UdpPort, openUdpSocket, closeDescriptor } = native()
  using namespace = namespaceDescriptor(reference)
  const values = Int32Array.of(
    Number(settings.ipv6),
    Number(settings.ipv6Only),
    Number(settings.reusePort),
    Number(settings.reuseAddress),
    Number(settings.coalesce),
    Number(settings.information),
    settings.receiveBuffer,
    settings.sendBuffer,
    Number(settings.mark !== undefined),
    settings.mark ?? 0,
    settings.typeOfService,
    settings.ttl,
    settings.pathMtu,
  )
  const { bind, remote, device } = settings
  const fd = openUdpSocket(namespace.fd, values, Endpoint.bytesOf(bind), Endpoint.bytesOf(remote), device)
  const [coalesces, segments] = report()
  try {
    const port = new UdpPort(fd, settings.ipv6, coalesces !== 0, settings.segment && segments !== 0, onReady)
    return { port, coalesces: coalesces !== 0 }
  } catch (error) {
    closeDescriptor(fd)
    throw error
  }
}
