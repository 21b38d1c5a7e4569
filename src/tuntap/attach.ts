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
import { flags } from './constants.js'
import { deviceNamespace } from './device-namespace.js'
import {
  claim,
  closeDescriptor,
  control,
  identifyTuntap,
  openTuntap,
  park,
  prepareDescriptor,
  type TuntapIdentity,
} from './handle.js'
import { notADevice, openError } from './open-error.js'
import { type DriverSettings, driverSettings, type TuntapOptions } from './options.js'

/** An attached descriptor, and what cannot be read back from it. */
export interface Attached {
  fd: number
  name: string
  /** As asked for with TUNSETIFF. */
  flags: number
  vnetHeaderSize: number
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
  vnetHeaderSize: number,
  reference: NamespaceReference | undefined,
): Attached {
  return attach(linkType, { name, flags: wanted & ~flags.IFF_NO_CARRIER, vnetHeaderSize }, 'open', reference)
}

type Settings = Pick<DriverSettings, 'name' | 'flags' | 'vnetHeaderSize'> & Partial<DriverSettings>

/** Opens and configures in one go: what fails leaves nothing behind. */
function attach(
  linkType: 'ethernet' | 'ip',
  settings: Settings,
  how: 'create' | 'open' | 'ensure',
  reference: NamespaceReference | undefined,
): Attached {
  const { name, vnetHeaderSize, owner, group, sendBuffer, persist, offload } = settings
  const wanted = settings.flags | (how === 'create' ? flags.IFF_TUN_EXCL : 0)
  let identity: TuntapIdentity
  try {
    identity = openTuntap(reference, name, wanted, how === 'open', {
      owner,
      group,
      sendBuffer,
      persist,
      offload,
      vnetHeaderSize: vnetHeaderSize || undefined,
    })
  } catch (error) {
    throw openError(error, linkType === 'ethernet' ? 'TAP' : 'TUN', name, reference !== undefined)
  }
  try {
    if (vnetHeaderSize) setEndianness(identity.fd, identity.name, settings.vnetEndianness ?? 'native')
    return { fd: identity.fd, name: identity.name, flags: settings.flags, vnetHeaderSize }
  } catch (error) {
    closeDescriptor(identity.fd)
    throw error
  }
}

export interface AdoptOptions {
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
  const { packetInformation } = requireOptions('options', options, ['packetInformation'])
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
  const informed = packetInformation ?? hasPacketInformation(fd, name)
  control(fd, name, 'TUNSETOFFLOAD', 0)
  prepareDescriptor(fd, true)
  const known = identity.flags & ~(flags.IFF_NO_PI | flags.IFF_PERSIST | flags.IFF_DETACH_QUEUE)
  return { fd, name, flags: known | (informed ? 0 : flags.IFF_NO_PI), vnetHeaderSize, lent: true }
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

type Note = Pick<Attached, 'flags' | 'vnetHeaderSize'> & { linkType: 'ethernet' | 'ip' }

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
