import { randomBytes } from 'node:crypto'
import {
  invalidArgumentType,
  NetloomError,
  requireInteger,
  requireOptions,
  SystemError,
} from '../errors/index.js'
import { RouteConnection } from '../netlink/route/index.js'
import type { NamespaceReference } from '../netns/index.js'
import type { Offload } from '../port/index.js'
import { flags } from './constants.js'
import { deviceNamespace } from './device-namespace.js'
import {
  claim,
  closeDescriptor,
  control,
  driverAccepts,
  identifyTuntap,
  openTuntap,
  park,
  prepareDescriptor,
  type TuntapIdentity,
} from './handle.js'
import { offloadMask, probeOffloads } from './offload.js'
import { notADevice, openError } from './open-error.js'
import {
  type DriverOptions,
  type DriverSettings,
  driverSettings,
  type OffloadSettings,
  offloadSettings,
  type TuntapOptions,
} from './options.js'

/** How a port treats frames: what no descriptor tells. */
export interface FrameSettings extends OffloadSettings {
  offloads: readonly Offload[]
  vnetEndianness: 'native' | 'little' | 'big'
  /** The device has a bound for what is in flight, or may be given one by way of another queue. */
  bounded: boolean
  /** Kinds of super-frames that the kernel turned out to refuse. */
  refused: readonly Offload[]
}

/** An attached descriptor, and what cannot be read back from it. */
export interface Attached {
  fd: number
  name: string
  /** As asked for with TUNSETIFF. */
  flags: number
  settings: FrameSettings
  /** The descriptor is somebody else's until there is a port. */
  lent?: boolean
}

/** How `create` (must not be there), `open` (must be there) and `ensure` (either) attach. */
export function attachDevice(
  linkType: 'ethernet' | 'ip',
  options: TuntapOptions | undefined,
  how: 'create' | 'open' | 'ensure',
): Attached {
  const settings = driverSettings(linkType === 'ethernet' ? 'tap' : 'tun', options, how === 'create')
  if (how !== 'create' && options?.name === undefined) {
    throw invalidArgumentType('options.name', 'a string', undefined)
  }
  return attach(linkType, settings, how, options?.in)
}

/** Another queue of a device that is attached with the same flags. */
export function attachQueue(
  linkType: 'ethernet' | 'ip',
  name: string,
  wanted: number,
  settings: FrameSettings,
  reference: NamespaceReference | undefined,
): Attached {
  const identity = openAs(linkType, name, wanted & ~flags.IFF_NO_CARRIER, 'open', reference, {
    vnetHeaderSize: settings.vnetHeaderSize || undefined,
  })
  try {
    if (settings.vnetHeaderSize) setEndianness(identity.fd, identity.name, settings.vnetEndianness)
    return { fd: identity.fd, name: identity.name, flags: wanted, settings }
  } catch (error) {
    closeDescriptor(identity.fd)
    throw error
  }
}

/** Opens and configures in one go: what fails leaves nothing behind. */
function attach(
  linkType: 'ethernet' | 'ip',
  settings: DriverSettings,
  how: 'create' | 'open' | 'ensure',
  reference: NamespaceReference | undefined,
): Attached {
  const { name, vnetHeaderSize, owner, group, sendBuffer, persist, vnetEndianness } = settings
  const { fd, name: found } = openAs(linkType, name, settings.flags, how, reference, {
    owner,
    group,
    sendBuffer,
    persist,
    offload: 0,
    vnetHeaderSize: vnetHeaderSize || undefined,
  })
  try {
    if (vnetHeaderSize) setEndianness(fd, found, vnetEndianness)
    const offloads = askForOffloads(fd, found, settings)
    // TUNSETSNDBUF is for all queues that are open.
    const bounded = sendBuffer !== undefined || !!(settings.flags & flags.IFF_MULTI_QUEUE)
    return {
      fd,
      name: found,
      flags: settings.flags,
      settings: { ...settings, offloads, bounded, refused: [] },
    }
  } catch (error) {
    closeDescriptor(fd)
    throw error
  }
}

function openAs(
  linkType: 'ethernet' | 'ip',
  name: string,
  wanted: number,
  how: 'create' | 'open' | 'ensure',
  reference: NamespaceReference | undefined,
  settings: Parameters<typeof openTuntap>[4],
): TuntapIdentity {
  try {
    const exclusive = how === 'create' ? flags.IFF_TUN_EXCL : 0
    return openTuntap(reference, name, wanted | exclusive, how === 'open', settings)
  } catch (error) {
    throw openError(error, linkType === 'ethernet' ? 'TAP' : 'TUN', name, reference !== undefined)
  }
}

/** TUNSETOFFLOAD: the offloads that are in force then. */
function askForOffloads(fd: number, name: string, settings: OffloadSettings): readonly Offload[] {
  if (settings.offload === 'off') return []
  const tunnels = settings.vnetHeaderSize === 24
  const given =
    settings.offloads ??
    probeOffloads(mask => driverAccepts(fd, name, 'TUNSETOFFLOAD', mask)).filter(
      offload => tunnels || offload !== 'udp-tunnel',
    )
  control(fd, name, 'TUNSETOFFLOAD', offloadMask('offloads', given))
  return given
}

/** `offload` needs a descriptor that carries a virtio-net header; see {@link DriverOptions}. */
export interface AdoptOptions
  extends Pick<DriverOptions, 'offload' | 'offloads' | 'coalesce' | 'headroom' | 'tailroom'> {
  /** What precedes each frame. Default: asked of the kernel, in the namespace of the device. */
  packetInformation?: boolean
}

/** What an attached descriptor is, read back from the kernel; the mask of offloads is set anew. */
export async function readDescriptor(
  linkType: 'ethernet' | 'ip',
  fd: number,
  options: AdoptOptions | undefined,
): Promise<Attached> {
  requireInteger('fd', fd, 0, 2 ** 31 - 1)
  const { packetInformation, ...others } = requireOptions('options', options, [
    'packetInformation',
    'offload',
    'offloads',
    'coalesce',
    'headroom',
    'tailroom',
  ])
  if (packetInformation !== undefined && typeof packetInformation !== 'boolean') {
    throw invalidArgumentType('options.packetInformation', 'a boolean', packetInformation)
  }
  let identity: TuntapIdentity
  try {
    identity = identifyTuntap(fd)
  } catch (error) {
    throw error instanceof SystemError ? notADevice(fd, error) : error
  }
  const { name } = identity
  const wanted = linkType === 'ethernet' ? flags.IFF_TAP : flags.IFF_TUN
  if (!(identity.flags & wanted)) {
    const found = identity.flags & flags.IFF_TAP ? 'TAP' : 'TUN'
    throw new NetloomError('ERR_LINK_MISMATCH', `descriptor ${fd} is a ${found}: ${name}`)
  }
  const vnetHeaderSize = identity.flags & flags.IFF_VNET_HDR ? control(fd, name, 'TUNGETVNETHDRSZ') : 0
  const checked = offloadSettings({ ...others, vnetHeaderSize: vnetHeaderSize as 0 | 10 | 12 | 24 })
  const informed = packetInformation ?? hasPacketInformation(fd, name)
  // A macvtap does not tell, and has the bound of any socket.
  const unbounded =
    driverAccepts(fd, name, 'TUNGETSNDBUF') && control(fd, name, 'TUNGETSNDBUF') === 2 ** 31 - 1
  const vnetEndianness = vnetHeaderSize ? readEndianness(fd, name) : 'native'
  control(fd, name, 'TUNSETOFFLOAD', 0)
  const offloads = askForOffloads(fd, name, checked)
  prepareDescriptor(fd, true)
  const known = identity.flags & ~(flags.IFF_NO_PI | flags.IFF_PERSIST | flags.IFF_DETACH_QUEUE)
  const bounded = !unbounded || !!(identity.flags & flags.IFF_MULTI_QUEUE)
  const settings = { ...checked, offloads, bounded, vnetEndianness, refused: [] }
  return { fd, name, flags: known | (informed ? 0 : flags.IFF_NO_PI), settings, lent: true }
}

/** By netlink: TUNGETIFF reports IFF_NO_PI, which is also IFF_NOFILTER, for every descriptor without a filter. */
function hasPacketInformation(fd: number, name: string): boolean {
  using namespace = deviceNamespace(fd, name)
  const route = RouteConnection.open(namespace.reference)
  try {
    return route.links.getSync(name).tun?.packetInformation ?? false
  } finally {
    route.close()
  }
}

type Note = Pick<Attached, 'flags' | 'settings'> & { linkType: 'ethernet' | 'ip' }

/** Leaves a descriptor to whoever in this process comes with the token. */
export function parkDescriptor(fd: number, note: Note): string {
  const token = `netloom-${randomBytes(16).toString('hex')}`
  park(token, fd, JSON.stringify(note))
  return token
}

/** The other end of {@link parkDescriptor}. */
export function adoptDescriptor(linkType: 'ethernet' | 'ip', token: string): Attached {
  if (typeof token !== 'string') throw invalidArgumentType('token', 'a string', token)
  const parked = claim(token)
  if (!parked) {
    throw new NetloomError('ERR_DETACHED_TOKEN', 'the token is of no detached port, or was claimed before')
  }
  const { fd } = parked
  try {
    const note = JSON.parse(parked.note) as Note
    if (note.linkType !== linkType) {
      throw new NetloomError('ERR_LINK_MISMATCH', `the detached port carries ${note.linkType} frames`)
    }
    return { ...note, fd, name: identifyTuntap(fd).name }
  } catch (error) {
    // A claim that fails must not lose the port.
    park(token, fd, parked.note)
    throw error
  }
}

export function setEndianness(fd: number, name: string, order: 'native' | 'little' | 'big'): void {
  // At most one of the two can be set: unset before set.
  control(fd, name, 'TUNSETVNETLE', order === 'little' ? 1 : 0)
  if (order === 'big') control(fd, name, 'TUNSETVNETBE', 1)
}

/** With neither set, the byte order is that of virtio devices before 1.0: the machine's. */
function readEndianness(fd: number, name: string): 'native' | 'little' | 'big' {
  if (control(fd, name, 'TUNGETVNETLE')) return 'little'
  return driverAccepts(fd, name, 'TUNGETVNETBE') && control(fd, name, 'TUNGETVNETBE') ? 'big' : 'native'
}
