import { construct, invalidArgumentType, requireOptions, requireOwnCall } from '../errors/index.js'
import { type AdoptOptions, type Attached, adoptDescriptor, attachDevice, readDescriptor } from './attach.js'
import { closeDescriptor } from './handle.js'
import { setUpLink } from './link-setup.js'
import { type MacvtapOptions, openMacvtap } from './macvtap.js'
import type { TuntapOptions } from './options.js'
import type { TakenDescriptor } from './taken-descriptor.js'
import { TuntapPort } from './tuntap-port.js'

/**
 * A TAP device, or one queue of it, as a port of Ethernet frames (without their trailing checksum).
 *
 *     await using tap = await Tap.create({ name: 'tap0', addresses: ['192.168.7.1/24'] })
 *     for await (const packet of packets(tap)) console.log(describe(packet))
 */
export class Tap extends TuntapPort<'ethernet'> {
  private constructor(key: typeof construct, attached: Attached) {
    requireOwnCall(key)
    super('ethernet', attached)
  }

  /**
   * Makes a device, which must not exist yet, and sets its link up. Without `persist` it goes with its last
   * descriptor.
   * @throws SystemError `EBUSY` for a name in use, `EPERM` with the missing right; TypeError and RangeError for
   * bad options, before anything happens
   */
  static async create(options?: TuntapOptions): Promise<Tap> {
    return setUpLink(new Tap(construct, await attachDevice('ethernet', options, 'create')), options)
  }

  /**
   * Attaches to a device that exists, persistent or with a free queue. Its link is left as it is but for what
   * the options say; `up` is true unless given.
   * @throws SystemError `ENODEV` when there is none, `EINVAL` when it is of another kind, `EBUSY` when it is taken;
   * NetloomError `ERR_LINK_MISMATCH` when it has queues whose framing or offloads differ
   */
  static async open(options: TuntapOptions & { name: string }): Promise<Tap> {
    return setUpLink(new Tap(construct, await attachDevice('ethernet', options, 'open')), options)
  }

  /** Attaches to a device of that name, made if need be. */
  static async ensure(options: TuntapOptions & { name: string }): Promise<Tap> {
    return setUpLink(new Tap(construct, await attachDevice('ethernet', options, 'ensure')), options)
  }

  /**
   * Adopts a descriptor that something else opened, or what `takeDescriptor()` gave: name and framing are read back from it,
   * and offloads are as `options` say, or those that other queues have. On success only it is the port's, which closes it, and
   * becomes non-blocking, for whoever else holds it too.
   * @throws NetloomError `ERR_INVALID_STATE` when it is no attached device or has a port in this thread,
   * `ERR_LINK_MISMATCH` when it is a TUN or other queues differ; SystemError `EPERM` without CAP_NET_ADMIN where the device is,
   * unless `packetInformation` is given
   */
  static async fromDescriptor(descriptor: number | TakenDescriptor, options?: AdoptOptions): Promise<Tap> {
    return new Tap(construct, await readDescriptor('ethernet', descriptor, options))
  }

  /**
   * The frames of a link of kind `macvtap` or `ipvtap`: those to its MAC address, and what is sent goes out by the link
   * below. Each is preceded by a virtio-net header of 10 bytes on the descriptor. Runs no
   * program: the system calls unshare, mount and mknod give the device a node that only a helper sees.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_LINK_MISMATCH` for a link of another kind; SystemError `EPERM` with
   * the missing right, `EBUSY` for one that is open
   */
  static async openMacvtap(options: MacvtapOptions): Promise<Tap> {
    const fd = await openMacvtap(options)
    try {
      return new Tap(construct, await readDescriptor('ethernet', fd, { packetInformation: false }))
    } catch (error) {
      closeDescriptor(fd)
      throw error
    }
  }

  /**
   * Goes on with a port that another worker of this process detached.
   * @throws NetloomError `ERR_DETACHED_TOKEN` for a token that was claimed before
   */
  static async adopt(token: string): Promise<Tap> {
    return new Tap(construct, adoptDescriptor('ethernet', token))
  }

  /** Another queue of this device, which must be `multiQueue`. @throws SystemError `E2BIG` when it has 256 */
  async openQueue(): Promise<Tap> {
    return new Tap(construct, this.nextQueue())
  }

  /**
   * TUNSETTXFILTER: only frames to these MAC addresses, at most 64, and broadcasts, reach the reader. Returns how many are
   * matched exactly; of the rest the kernel matches a hash. No addresses and `allMulticast: false`: no filter.
   */
  setTxFilter(filter: { addresses: readonly string[]; allMulticast?: boolean }): number {
    const { addresses, allMulticast = false } = requireOptions('filter', filter, [
      'addresses',
      'allMulticast',
    ])
    // The driver's table ends there (native/sys/tuntap.h).
    if (!Array.isArray(addresses) || addresses.length > 64) {
      throw invalidArgumentType('filter.addresses', 'an array of at most 64', addresses)
    }
    if (typeof allMulticast !== 'boolean') {
      throw invalidArgumentType('filter.allMulticast', 'a boolean', allMulticast)
    }
    return this.setAddressFilter(addresses, allMulticast)
  }
}
