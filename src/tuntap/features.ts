import { requireOptions } from '../errors/index.js'
import type { NamespaceReference } from '../netns/index.js'
import type { Offload } from '../port/index.js'
import { flags } from './constants.js'
import { closeDescriptor, control, driverAccepts, openTuntap } from './handle.js'
import { probeOffloads } from './offload.js'
import { openError } from './open-error.js'

/** What the running kernel's driver offers, by its own word and not by its version. */
export interface TuntapFeatures {
  tun: boolean
  tap: boolean
  multiQueue: boolean
  vnetHeader: boolean
  /** Sizes of the virtio-net header that it takes. */
  vnetHeaderSizes: number[]
  napi: boolean
  napiFragments: boolean
  /** A device can start without carrier. */
  noCarrier: boolean
  offloads: Offload[]
  /** Byte orders that the header can be set to; few kernels are built for the foreign one. */
  vnetEndianness: ('little' | 'big')[]
}

/**
 * Asks the driver, on a TUN device of its own that is gone again when this returns.
 * @throws SystemError as `Tun.create` does
 */
export async function tuntapFeatures(options?: { in?: NamespaceReference }): Promise<TuntapFeatures> {
  const reference = requireOptions('options', options, ['in']).in
  let fd: number
  try {
    const wanted = flags.IFF_TUN | flags.IFF_NO_PI | flags.IFF_VNET_HDR
    fd = openTuntap(reference, 'probe%d', wanted, false, { offload: 0 }).fd
  } catch (error) {
    throw openError(error, 'TUN', 'probe%d', reference !== undefined)
  }
  try {
    const accepts = (request: Parameters<typeof driverAccepts>[2], value: number) =>
      driverAccepts(fd, 'probe', request, value)
    const bits = control(fd, 'probe', 'TUNGETFEATURES')
    const vnetHeaderSizes = [10, 12, 24].filter(size => accepts('TUNSETVNETHDRSZ', size))
    return {
      tun: !!(bits & flags.IFF_TUN),
      tap: !!(bits & flags.IFF_TAP),
      multiQueue: !!(bits & flags.IFF_MULTI_QUEUE),
      vnetHeader: !!(bits & flags.IFF_VNET_HDR),
      vnetHeaderSizes,
      napi: !!(bits & flags.IFF_NAPI),
      napiFragments: !!(bits & flags.IFF_NAPI_FRAGS),
      noCarrier: !!(bits & flags.IFF_NO_CARRIER),
      offloads: probeOffloads(mask => accepts('TUNSETOFFLOAD', mask)),
      vnetEndianness: [
        ...(accepts('TUNSETVNETLE', 1) && accepts('TUNSETVNETLE', 0) ? (['little'] as const) : []),
        ...(accepts('TUNSETVNETBE', 1) ? (['big'] as const) : []),
      ],
    }
  } finally {
    closeDescriptor(fd)
  }
}
