import { randomBytes } from 'node:crypto'
import { invalidArgumentType, NetloomError, requireOptions, SystemError } from '../errors/index.js'
import type { NamespaceReference } from '../netns/index.js'
import type { Offload } from '../port/index.js'
import { flags } from './constants.js'
import { askRoute, type DeviceNamespace, deviceNamespace, isUntold } from './device-namespace.js'
import {
  claim,
  closeDescriptor,
  configureTuntap,
  control,
  driverAccepts,
  identifyTuntap,
  openTuntap,
  park,
  prepareDescriptor,
  type TuntapIdentity,
} from './handle.js'
import { checkJoining } from './joining.js'
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
import { descriptorNumber, type TakenDescriptor } from './taken-descriptor.js'
import { readEndianness, setEndianness } from './vnet-endianness.js'

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
  /** @throws NetloomError `ERR_INVALID_STATE` for a taken descriptor that was closed meanwhile: the number may be another's */
  readonly fd: number
  /** It is a {@link TakenDescriptor}'s until there is a port. */
  taken?: boolean
  name: string
  /** Of the link, if it was opened where the process is; see {@link deviceNamespace}. */
  home?: number | undefined
  /** As asked for with TUNSETIFF. */
  flags: number
  settings: FrameSettings
  /**
   * The descriptor is somebody else's until there is a port; then this changes what has to be, and gives the offloads that
   * are in force.
   */
  begin?: () => readonly Offload[]
}

/** How `create` (must not be there), `open` (must be there) and `ensure` (either) attach. */
export async function attachDevice(
  linkType: 'ethernet' | 'ip',
  options: TuntapOptions | undefined,
  how: 'create' | 'open' | 'ensure',
): Promise<Attached> {
  const settings = driverSettings(linkType === 'ethernet' ? 'tap' : 'tun', options, how === 'create')
  if (how !== 'create' && options?.name === undefined) {
    throw invalidArgumentType('options.name', 'a string', undefined)
  }
  return attach(linkType, settings, how, options?.in)
}

/** Another queue of a device that is attached with the same flags: what the queues share is as it is. */
export function attachQueue(
  linkType: 'ethernet' | 'ip',
  name: string,
  wanted: number,
  settings: FrameSettings,
  reference: NamespaceReference | undefined,
): Attached {
  const identity = openAs(linkType, name, wanted & ~flags.IFF_NO_CARRIER, 'open', reference, {})
  return {
    fd: identity.fd,
    name: identity.name,
    home: homeOf(identity, reference),
    flags: wanted,
    settings,
  }
}

/** Opens and configures in one go: what fails leaves nothing behind. */
async function attach(
  linkType: 'ethernet' | 'ip',
  settings: DriverSettings,
  how: 'create' | 'open' | 'ensure',
  reference: NamespaceReference | undefined,
): Promise<Attached> {
  const { vnetHeaderSize, owner, group, sendBuffer, vnetEndianness } = settings
  const shared = { offload: 0, vnetHeaderSize: vnetHeaderSize || undefined }
  // Others may have queues of it, who are to notice nothing.
  const joining = how !== 'create' && !!(settings.flags & flags.IFF_MULTI_QUEUE)
  const own = { owner, group, sendBuffer }
  const first = joining ? {} : { ...own, ...shared }
  const identity = openAs(linkType, settings.name, settings.flags, how, reference, first)
  const { fd, name } = identity
  try {
    let offloads: readonly Offload[] | undefined
    if (joining) {
      // One that is alone is configured in the same turn: who comes next is to agree with it.
      const others = checkJoining(fd, name, reference, settings)
      if (others) offloads = await others
      configureTuntap(reference, fd, offloads ? own : { ...own, ...shared })
    }
    if (!offloads && vnetHeaderSize) setEndianness(fd, name, vnetEndianness)
    offloads ??= askForOffloads(fd, name, settings)
    // TUNSETSNDBUF is for all queues that are open.
    const bounded = sendBuffer !== undefined || !!(settings.flags & flags.IFF_MULTI_QUEUE)
    return {
      fd,
      name,
      home: homeOf(identity, reference),
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

function homeOf({ index }: TuntapIdentity, reference: NamespaceReference | undefined): number | undefined {
  return reference === undefined ? index : undefined
}

/** TUNSETOFFLOAD: the offloads that are in force then. */
function askForOffloads(fd: number, name: string, settings: OffloadSettings): readonly Offload[] {
  const tunnels = settings.vnetHeaderSize === 24
  const wanted = settings.offload === 'off' ? [] : settings.offloads
  const given =
    wanted ??
    probeOffloads(mask => driverAccepts(fd, name, 'TUNSETOFFLOAD', mask)).filter(
      offload => tunnels || offload !== 'udp-tunnel',
    )
  control(fd, name, 'TUNSETOFFLOAD', offloadMask('offloads', given))
  return given
}

/** `offload` needs a descriptor that carries a virtio-net header; see {@link DriverOptions}. */
export interface AdoptOptions
  extends Pick<DriverOptions, 'offload' | 'offloads' | 'coalesce' | 'headroom' | 'tailroom'> {
  /**
   * What precedes each frame. Default: asked of the kernel, in the namespace of the device, which needs CAP_NET_ADMIN
   * there.
   */
  packetInformation?: boolean
}

/** What an attached descriptor is, read back from the kernel. */
export async function readDescriptor(
  linkType: 'ethernet' | 'ip',
  source: number | TakenDescriptor,
  options: AdoptOptions | undefined,
): Promise<Attached> {
  const fd = descriptorNumber(source)
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
  const framing = { ...checked, packetInformation: informed, vnetEndianness }
  const sharing = identity.flags & flags.IFF_MULTI_QUEUE ? offloadsOfOthers(fd, name, framing) : undefined
  const shared = sharing && (await sharing)
  const begin = () => {
    const offloads = shared ?? askForOffloads(fd, name, checked)
    prepareDescriptor(fd, true)
    if (typeof source === 'object') source.take()
    return offloads
  }
  const known = identity.flags & ~(flags.IFF_NO_PI | flags.IFF_PERSIST | flags.IFF_DETACH_QUEUE)
  const bounded = !unbounded || !!(identity.flags & flags.IFF_MULTI_QUEUE)
  const settings = { ...checked, offloads: [], bounded, vnetEndianness, refused: [] }
  return {
    get fd() {
      return descriptorNumber(source)
    },
    taken: typeof source === 'object',
    name,
    flags: known | (informed ? 0 : flags.IFF_NO_PI),
    settings,
    begin,
  }
}

/** Undefined: the queue is alone, as far as one may ask. */
function offloadsOfOthers(
  fd: number,
  name: string,
  framing: Parameters<typeof checkJoining>[3],
): Promise<readonly Offload[]> | undefined {
  let namespace: DeviceNamespace
  try {
    namespace = deviceNamespace(fd, name, undefined)
  } catch (error) {
    if (isUntold(error)) return undefined
    throw error
  }
  using where = namespace
  return checkJoining(fd, name, where.reference, framing)
}

/** By netlink: TUNGETIFF reports IFF_NO_PI, which is also IFF_NOFILTER, for every descriptor without a filter. */
function hasPacketInformation(fd: number, name: string): boolean {
  try {
    using namespace = deviceNamespace(fd, name, undefined)
    return askRoute(namespace.reference, route => route.links.getSync(name).tun?.packetInformation ?? false)
  } catch (error) {
    if (!isUntold(error)) throw error
    const { errno, syscall, request } = error
    const hint =
      'whether frames have packet information is asked of the link, which needs CAP_NET_ADMIN where the device is: give { packetInformation } instead'
    throw new SystemError({ errno, syscall, request, subject: name, hint, cause: error })
  }
}

type Note = Pick<Attached, 'flags' | 'settings' | 'home'> & { linkType: 'ethernet' | 'ip' }

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
