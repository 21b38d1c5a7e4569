import { endianness } from 'node:os'
import { parseMacAddress } from '../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireInteger,
  requireOptions,
} from '../errors/index.js'
import { Namespace } from '../netns/index.js'
import {
  type CloseReason,
  type Framing,
  NativePort,
  type Offload,
  type PortEvent,
  superFrameBits,
  type WaitOptions,
} from '../port/index.js'
import { type Attached, attachQueue, type FrameSettings, parkDescriptor } from './attach.js'
import { flags } from './constants.js'
import { DeviceEvents } from './device-events.js'
import { askRoute, type DeviceNamespace, deviceNamespace, isUntold } from './device-namespace.js'
import {
  attachFilter,
  control,
  disownDescriptor,
  identifyTuntap,
  prepareDescriptor,
  setTxFilter,
} from './handle.js'
import { offloadMask } from './offload.js'
import { TakenDescriptor } from './taken-descriptor.js'
import { setEndianness } from './vnet-endianness.js'

/** A TUN or TAP queue as a port. */
export abstract class TuntapPort<L extends 'ethernet' | 'ip'> extends NativePort<L> {
  readonly #flags: number
  readonly #home: number | undefined
  #settings: FrameSettings
  #name: string
  #kernelDrops = 0n
  readonly #events = new Set<DeviceEvents>()

  protected constructor(linkType: L, attached: Attached) {
    const { settings } = attached
    super(attached.fd, {
      linkType,
      name: attached.name,
      lent: attached.begin !== undefined,
      accepts: settings.offloads,
      ...framingOf(linkType, attached.flags, settings),
    })
    this.#flags = attached.flags
    this.#home = attached.home
    this.#settings = settings
    this.#name = attached.name
    if (!attached.begin) return
    try {
      this.#setFraming({ offloads: attached.begin() })
    } catch (error) {
      const fd = this.end({ type: 'detached' }, true)
      // What was taken from a port of this thread still ends with it.
      if (!attached.taken) disownDescriptor(fd)
      throw error
    }
  }

  /** The device's present name; the last one known after the port's end. */
  get name(): string {
    if (!this.ended) this.#name = identifyTuntap(this.fd).name
    return this.#name
  }

  /** The descriptor, which stays the port's. -1 after the port's end. */
  get fd(): number {
    return this.handle.descriptor()
  }

  /** The descriptor carries struct tun_pi before each frame. */
  get packetInformation(): boolean {
    return !(this.#flags & flags.IFF_NO_PI)
  }

  get multiQueue(): boolean {
    return !!(this.#flags & flags.IFF_MULTI_QUEUE)
  }

  get vnetHeaderBytes(): number {
    return this.#settings.vnetHeaderSize
  }

  /** What becomes of super-frames. */
  get offload(): 'off' | 'split' | 'whole' {
    return this.#settings.offload
  }

  /** Bytes that are free, at least, before each frame that was received; what is in them says nothing. */
  get headroom(): number {
    return this.#settings.headroom
  }

  /** The same after each frame. */
  get tailroom(): number {
    return this.#settings.tailroom
  }

  /** This queue takes part, as the kernel has it (IFF_DETACH_QUEUE); false after the port's end. */
  get queueEnabled(): boolean {
    return !this.ended && !(identifyTuntap(this.fd).flags & flags.IFF_DETACH_QUEUE)
  }

  /**
   * TUNSETQUEUE: the kernel spreads flows over the enabled queues only. What a queue held is lost when it is
   * disabled, and it receives nothing from then on; with `napi`, sending on it fails with EIO.
   * @throws SystemError `EINVAL` when the device was opened without `multiQueue`
   */
  setQueueEnabled(enabled: boolean): void {
    requireBoolean('enabled', enabled)
    this.#open()
    // The kernel refuses what is so already.
    if (enabled !== this.queueEnabled) this.#control('TUNSETQUEUE', enabled ? 1 : 0)
  }

  /** TUNSETCARRIER: whether the cable is plugged in, as the kernel sees it. */
  setCarrier(carrier: boolean): void {
    this.#control('TUNSETCARRIER', requireBoolean('carrier', carrier) ? 1 : 0)
  }

  /** TUNSETPERSIST: whether the device outlives its descriptors. */
  setPersist(persist: boolean): void {
    this.#control('TUNSETPERSIST', requireBoolean('persist', persist) ? 1 : 0)
  }

  /** TUNSETOWNER: the user id that may open the device without rights. */
  setOwner(owner: number): void {
    this.#control('TUNSETOWNER', requireInteger('owner', owner, 0, 2 ** 32 - 2))
  }

  /** TUNSETGROUP: the group id that may open the device without rights. */
  setGroup(group: number): void {
    this.#control('TUNSETGROUP', requireInteger('group', group, 0, 2 ** 32 - 2))
  }

  /** TUNGETSNDBUF: bytes in flight before a send waits. */
  get sendBuffer(): number {
    return this.#control('TUNGETSNDBUF')
  }

  setSendBuffer(bytes: number): void {
    this.#checkNotForwarded()
    this.#control('TUNSETSNDBUF', requireInteger('bytes', bytes, 1, 2 ** 31 - 1))
    this.#setFraming({ bounded: true })
  }

  /**
   * TUNSETOFFLOAD, for all queues of the device, so it is to be done while there is one: what the kernel may leave to the
   * reader. Empty: nothing.
   * @throws NetloomError `ERR_INVALID_STATE` for a device with several queues, or without a virtio-net header
   */
  setOffloads(offloads: readonly Offload[]): void {
    const mask = offloadMask('offloads', offloads)
    if (mask && !this.vnetHeaderBytes) {
      throw new NetloomError('ERR_INVALID_STATE', 'offloads need a device opened with a virtio-net header')
    }
    // The driver takes it with a shorter header, and every read fails then.
    if (offloads.includes('udp-tunnel') && this.vnetHeaderBytes !== 24) {
      throw new NetloomError('ERR_INVALID_STATE', "'udp-tunnel' needs a vnetHeaderSize of 24")
    }
    this.#checkNotForwarded()
    this.#checkAlone()
    this.#control('TUNSETOFFLOAD', mask)
    this.#setFraming({ offloads })
  }

  /**
   * TUNSETVNETHDRSZ: 10, 12 or 24 bytes. It is for all queues of the device, so it is to be done while there is one.
   * @throws NetloomError `ERR_INVALID_STATE` for a device with several queues, or without a virtio-net header
   */
  setVnetHeaderSize(size: 10 | 12 | 24): void {
    this.#checkNotForwarded()
    if (!this.vnetHeaderBytes) {
      throw new NetloomError('ERR_INVALID_STATE', 'the device was opened without a virtio-net header')
    }
    if (![10, 12, 24].includes(size)) throw invalidArgumentType('size', '10, 12 or 24', size)
    this.#checkAlone()
    if (this.#settings.offloads.includes('udp-tunnel') && size !== 24) {
      throw new NetloomError('ERR_INVALID_STATE', "'udp-tunnel' needs a vnetHeaderSize of 24")
    }
    this.#control('TUNSETVNETHDRSZ', size)
    this.#setFraming({ vnetHeaderSize: size })
  }

  /**
   * TUNSETVNETLE and TUNSETVNETBE, for all queues of the device: byte order of the virtio-net header.
   * @throws NetloomError `ERR_INVALID_STATE` for a device with several queues
   */
  setVnetEndianness(order: 'native' | 'little' | 'big'): void {
    this.#checkNotForwarded()
    if (!['native', 'little', 'big'].includes(order)) {
      throw invalidArgumentValue('order', order, "must be 'native', 'little' or 'big'")
    }
    this.#open()
    this.#checkAlone()
    setEndianness(this.fd, this.#name, order)
    this.#setFraming({ vnetEndianness: order })
  }

  /**
   * TUNATTACHFILTER: frames that a classic BPF program refuses do not reach this device's readers. Eight bytes
   * an instruction, struct sock_filter of linux/filter.h.
   */
  attachFilter(program: Uint8Array): void {
    if (!(program instanceof Uint8Array))
      throw invalidArgumentType('program', 'an instance of Uint8Array', program)
    if (program.length === 0 || program.length % 8 !== 0 || program.length / 8 > 4096) {
      throw invalidArgumentType('program', '1 to 4096 instructions of eight bytes', program)
    }
    this.#open()
    attachFilter(this.fd, this.#name, program)
  }

  detachFilter(): void {
    this.#control('TUNDETACHFILTER')
  }

  /** TUNSETSTEERINGEBPF: a loaded program (by descriptor) chooses the queue of each frame; undefined: none. */
  setSteeringProgram(fd: number | undefined): void {
    this.#control('TUNSETSTEERINGEBPF', programDescriptor(fd))
  }

  /** TUNSETFILTEREBPF: a loaded program (by descriptor) says how many bytes of each frame to keep; undefined: none. */
  setFilterProgram(fd: number | undefined): void {
    this.#control('TUNSETFILTEREBPF', programDescriptor(fd))
  }

  /**
   * Gives the descriptor away, to `spawn()` it into a child's `stdio` for instance. The port ends with reason
   * `detached`; the device stays as it is.
   */
  takeDescriptor(options?: { nonBlocking?: boolean }): TakenDescriptor {
    const { nonBlocking = false } = requireOptions('options', options, ['nonBlocking'])
    requireBoolean('options.nonBlocking', nonBlocking)
    this.#open()
    prepareDescriptor(this.fd, nonBlocking)
    return new TakenDescriptor(this.end({ type: 'detached' }, true))
  }

  /**
   * Ends the port here and returns a token with which another worker of this process goes on: `Tap.adopt(token)`.
   * The token is a string, good for one claim. Until then the device lives as long as the process: `adopt()` and `close()` where
   * nobody else claims it.
   */
  detach(): string {
    this.#open()
    return parkDescriptor(this.end({ type: 'detached' }, true), {
      linkType: this.linkType,
      flags: this.#flags,
      home: this.#home,
      settings: this.#settings,
    })
  }

  /**
   * Changes of the device, by netlink in the namespace where it is. The first event is `state`.
   * An open iterator keeps the process alive. Rejects with SystemError `EPERM` for who may not ask where the device is.
   */
  override events(options?: WaitOptions): AsyncIterableIterator<PortEvent> {
    requireOptions('options', options, ['signal'])
    const events = new DeviceEvents(
      () => this.fd,
      () => this.namespaceNow(),
      () => this.#checkAttached(),
      options,
    )
    if (this.ended) {
      events.end()
    } else {
      this.#events.add(events)
      for (const offload of this.#settings.refused) events.push({ type: 'offload-disabled', offload })
      events.onEnd(() => this.#events.delete(events))
    }
    return events
  }

  /**
   * TUNGETDEVNETNS: a handle on the namespace where the device is now, wherever it was opened.
   * @throws SystemError `EPERM` without CAP_NET_ADMIN there, unless the process opened the device where it is itself
   */
  async namespace(): Promise<Namespace> {
    this.#open()
    using where = this.namespaceNow()
    if (where.reference === undefined) return Namespace.open('current')
    return await Namespace.open({ fd: where.reference.fd })
  }

  /**
   * Closes the port and deletes the device, also a persistent one, once its last queue is closed.
   * @throws NetloomError `ERR_PORT_CLOSED` from a port that has ended: `network.links.delete()` does it without one
   */
  async delete(): Promise<void> {
    this.setPersist(false)
    await this.close()
  }

  /**
   * What the device dropped for want of a reader: for the kernel, frames to us are sent frames. Who may not ask where the
   * device is knows of none.
   */
  protected override kernelDrops(): bigint {
    if (this.ended) return this.#kernelDrops
    let namespace: DeviceNamespace
    try {
      namespace = this.namespaceNow()
    } catch (error) {
      if (isUntold(error)) return this.#kernelDrops
      throw error
    }
    using where = namespace
    this.#kernelDrops = askRoute(where.reference, route => route.statistics(this.name).txDropped)
    return this.#kernelDrops
  }

  protected override onEnd(reason: CloseReason): void {
    for (const events of [...this.#events]) events.finish(reason.type === 'removed')
  }

  /** Another queue of the same device. */
  protected nextQueue(): Attached {
    this.#open()
    if (!this.multiQueue) {
      throw new NetloomError('ERR_INVALID_STATE', 'the device was opened without multiQueue')
    }
    using namespace = this.namespaceNow()
    return attachQueue(this.linkType, this.name, this.#flags, this.#settings, namespace.reference)
  }

  /** TUNSETTXFILTER, for Ethernet. */
  protected setAddressFilter(addresses: readonly string[], allMulticast: boolean): number {
    this.#open()
    return setTxFilter(this.fd, this.#name, allMulticast, Buffer.concat(addresses.map(parseMacAddress)))
  }

  protected override offloadsRefused(offloads: readonly Offload[]): void {
    for (const offload of offloads) {
      // Of a kind that was refused before, a forward finds out anew.
      if (this.#settings.refused.includes(offload)) continue
      this.#settings = { ...this.#settings, refused: [...this.#settings.refused, offload] }
      for (const events of this.#events) events.push({ type: 'offload-disabled', offload })
    }
    // A forward found out for itself.
    if (this.owner === 'forward') this.setFraming(framingOf(this.linkType, this.#flags, this.#settings))
  }

  /** @internal For the time of a synchronous call. */
  namespaceNow(): DeviceNamespace {
    return deviceNamespace(this.fd, this.#name, this.#home)
  }

  /** For what all queues share. */
  #checkAlone(): void {
    this.#open()
    if (!this.multiQueue) return
    using namespace = this.namespaceNow()
    const { tun } = askRoute(namespace.reference, route => route.links.getSync(this.name))
    const { queues = 1, disabledQueues = 0 } = tun ?? {}
    if (queues + disabledQueues < 2) return
    throw new NetloomError('ERR_INVALID_STATE', 'the device has several queues, which would not learn of it')
  }

  /** What forwards a port knows it as it was. */
  #checkNotForwarded(): void {
    if (this.owner === 'forward') throw new NetloomError('ERR_INVALID_STATE', 'the port is being forwarded')
  }

  #setFraming(changes: Partial<FrameSettings>): void {
    this.#settings = { ...this.#settings, ...changes }
    this.setFraming(framingOf(this.linkType, this.#flags, this.#settings), this.#settings.offloads)
  }

  #control(request: Parameters<typeof control>[2], value?: number): number {
    this.#open()
    return control(this.fd, this.#name, request, value)
  }

  /** Ends the port if its device is gone: TUNGETIFF then says EBADFD (drivers/net/tun.c). */
  #checkAttached(): void {
    try {
      identifyTuntap(this.fd)
    } catch {
      this.end({ type: 'removed' })
    }
  }

  #open(): void {
    if (this.ended) throw new NetloomError('ERR_PORT_CLOSED', 'the port is closed')
  }
}

function framingOf(linkType: 'ethernet' | 'ip', deviceFlags: number, settings: FrameSettings): Framing {
  const {
    vnetHeaderSize,
    offload,
    coalesce,
    offloads,
    headroom,
    tailroom,
    bounded,
    vnetEndianness,
    refused,
  } = settings
  const ethernet = linkType === 'ethernet'
  const order = endianness() === 'LE' ? 'little' : 'big'
  return {
    ethernet,
    // The longest MTU is 65535; on TAP an Ethernet header and a VLAN tag come on top.
    maxFrameLength: ethernet ? 65553 : 65535,
    packetInformation: !(deviceFlags & flags.IFF_NO_PI),
    vnetHeaderSize,
    swapped: vnetEndianness !== 'native' && vnetEndianness !== order,
    split: offload === 'split',
    join: coalesce ? superFrameBits(offloads.filter(offload => offload !== 'udp-tunnel')) : 0,
    refused: superFrameBits(refused),
    bounded,
    headroom,
    tailroom,
  }
}

function programDescriptor(fd: number | undefined): number {
  return fd === undefined ? -1 : requireInteger('fd', fd, 0, 2 ** 31 - 1)
}

function requireBoolean(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
  return value
}
