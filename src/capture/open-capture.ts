import { abortError } from '../lifecycle/index.js'
import { type Link, RouteConnection } from '../netlink/route/index.js'
import { namespaceDescriptor } from '../netns/index.js'
import { withoutOutgoing } from './fanout.js'
import { discardRing, type NativePacketRing, openRing } from './handle.js'
import type { CaptureLinkType } from './link-type.js'
import { type LiveFilter, type LiveFilterOptions, liveFilter } from './live-filter.js'
import type { CaptureAnyOptions, CaptureOptions, CaptureSettings } from './options.js'

/** Bytes of a slot of the ring with `latency: 'low'`; longer frames come by the queue of the socket. */
const slotSize = 2048

/** What an open capture is made of. */
export interface OpenedCapture<L extends CaptureLinkType> {
  ring: NativePacketRing
  link: Link | undefined
  linkType: L
  settings: CaptureSettings
  live: LiveFilter
  liveOptions: LiveFilterOptions
  where: CaptureAnyOptions['in']
}

export function findLink({ in: where, interface: reference }: CaptureOptions): Link {
  const route = RouteConnection.open(where)
  try {
    return route.links.getSync(reference)
  } finally {
    void route.close()
  }
}

export async function openCapture<L extends CaptureLinkType>(
  options: CaptureAnyOptions,
  settings: CaptureSettings,
  link: Link | undefined,
  linkType: L,
): Promise<OpenedCapture<L>> {
  const { direction, fanout, snapLength, resolve, netmask } = settings
  const twice = direction === 'both'
  const ignoreOutgoing = direction === 'in' || (twice && link?.loopback === true)
  const liveOptions: LiveFilterOptions = {
    linkType,
    snapLength,
    resolve,
    netmask,
    onlyOutgoing: direction === 'out',
    loopbackOnce: twice && !link,
  }
  const live = liveFilter(settings.filter, liveOptions)
  using namespace = namespaceDescriptor(options.in)
  // The native side has a descriptor of its own before this returns.
  const opening = openRing(
    namespace.fd,
    link?.name ?? 'any',
    {
      interface: link?.index ?? 0,
      protocol: settings.protocol,
      cooked: linkType !== 'ethernet',
      cookedHeader: linkType === 'linux-sll2',
      lowLatency: settings.lowLatency,
      blockSize: settings.blockSize,
      blockCount: settings.blockCount,
      frameSize: slotSize,
      timeoutMs: settings.timeoutMs,
      snapLength,
      promiscuous: settings.promiscuous,
      allMulticast: settings.allMulticast,
      ignoreOutgoing,
      hardwareTime: settings.hardwareTime,
      inlineVlan: settings.inlineVlan,
      qdiscBypass: settings.qdiscBypass,
      vnetHeader: settings.offload !== 'off',
      split: settings.offload === 'split',
      joinFanout: fanout !== undefined,
      fanout: fanout ? (ignoreOutgoing ? withoutOutgoing(fanout.argument) : fanout.argument) : 0,
      fanoutDescriptor: fanout?.descriptor ?? -1,
    },
    { filter: live.filter, fallback: live.fallback, fanout: fanout?.program, multicast: settings.multicast },
  )
  const ring = await opening
  if (options.signal?.aborted) {
    await discardRing(ring)
    throw abortError(options.signal)
  }
  return { ring, link, linkType, settings, live, liveOptions, where: options.in }
}
