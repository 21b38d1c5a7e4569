import { invalidArgumentValue, requireOptions } from '../../../errors/index.js'
import type { WaitOptions } from '../../core/index.js'
import type { DeviceReference } from '../device.js'
import type { GenericConnection } from '../generic-connection.js'
import type { GenericFamily, SubscribeOptions } from '../generic-family.js'
import { readDriver, readDriverStatistics, withSocket } from '../handle.js'
import { ETH_SS, ETHTOOL_FLAG, ETHTOOL_MSG } from './constants.js'
import { type DriverInfo, readDriverInfo, readStatistics } from './driver.js'
import { Features } from './features.js'
import { askDevice, EthtoolReading, EthtoolSetting } from './setting.js'
import { featuresTable } from './settings.js'
import { getStatistics, type StatisticsGroup } from './statistics.js'
import { getStrings } from './strings.js'
import { type EthtoolEvent, watchEthtool } from './watch.js'

/** The sets of strings, by name. */
export type StringSetName = keyof typeof ETH_SS

/** What `ethtool` tells of devices and sets, in one namespace. */
export class Ethtool {
  readonly features: Features
  /** Connector and address. */
  readonly linkInfo: EthtoolSetting<'linkInfo'>
  /** Speed, duplex, autonegotiation. */
  readonly linkModes: EthtoolSetting<'linkModes'>
  /** Whether there is a link, and why not. */
  readonly linkState: EthtoolReading<'linkState'>
  /** Lengths of the queues between driver and hardware. */
  readonly rings: EthtoolSetting<'rings'>
  /** How many queues. */
  readonly channels: EthtoolSetting<'channels'>
  /** How long interrupts wait for company. */
  readonly coalesce: EthtoolSetting<'coalesce'>
  /** Flow control. */
  readonly pause: EthtoolSetting<'pause'>
  readonly energyEfficiency: EthtoolSetting<'energyEfficiency'>
  readonly wakeOnLan: EthtoolSetting<'wakeOnLan'>
  /** What the driver logs. */
  readonly debug: EthtoolSetting<'debug'>
  readonly privateFlags: EthtoolSetting<'privateFlags'>
  readonly timestamping: EthtoolReading<'timestamping'>
  /** The pluggable transceiver. */
  readonly module: EthtoolSetting<'module'>
  readonly #generic: GenericConnection

  constructor(generic: GenericConnection) {
    this.#generic = generic
    const family = () => this.#family()
    this.features = new Features(family)
    this.linkInfo = new EthtoolSetting('linkInfo', family)
    this.linkModes = new EthtoolSetting('linkModes', family)
    this.linkState = new EthtoolReading('linkState', family)
    this.rings = new EthtoolSetting('rings', family)
    this.channels = new EthtoolSetting('channels', family)
    this.coalesce = new EthtoolSetting('coalesce', family)
    this.pause = new EthtoolSetting('pause', family)
    this.energyEfficiency = new EthtoolSetting('energyEfficiency', family)
    this.wakeOnLan = new EthtoolSetting('wakeOnLan', family)
    this.debug = new EthtoolSetting('debug', family)
    this.privateFlags = new EthtoolSetting('privateFlags', family)
    this.timestamping = new EthtoolReading('timestamping', family)
    this.module = new EthtoolSetting('module', family)
  }

  /**
   * What standards define, of drivers that count it; others have the groups empty. See {@link driverStatistics}.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`
   */
  async statistics(link: DeviceReference, options?: WaitOptions): Promise<Record<string, StatisticsGroup>> {
    return getStatistics(await this.#family(), link, options)
  }

  /**
   * What the driver counts, under its own names (`ethtool -S`). Asked for by ioctl: netlink does not have it.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`; SystemError `ENOTSUP` for a driver that counts nothing
   */
  async driverStatistics(link: DeviceReference, options?: WaitOptions): Promise<Record<string, bigint>> {
    const name = await this.#name(link, options)
    const { count, bytes } = withSocket(this.#generic.namespace, socket => readDriverStatistics(socket, name))
    return readStatistics(count, bytes)
  }

  /**
   * The driver and what it has (`ethtool -i`). Asked for by ioctl: netlink does not have it.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`; SystemError `ENOTSUP` for a device without a driver that says
   */
  async driver(link: DeviceReference, options?: WaitOptions): Promise<DriverInfo> {
    const name = await this.#name(link, options)
    return readDriverInfo(withSocket(this.#generic.namespace, socket => readDriver(socket, name)))
  }

  /**
   * A set of strings, in the order of their numbers: of a device, or without one those that are the same for all.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`; NetlinkError `EINVAL` for a set that only devices have
   */
  async strings(
    set: StringSetName,
    options?: { link?: DeviceReference | undefined } & WaitOptions,
  ): Promise<string[]> {
    const { link, signal } = requireOptions('options', options, ['link', 'signal'])
    if (!Object.hasOwn(ETH_SS, set)) {
      throw invalidArgumentValue('set', set, `must be one of ${Object.keys(ETH_SS).join(', ')}`)
    }
    const number = ETH_SS[set]
    return (await getStrings(await this.#family(), [number], link, { signal })).get(number) ?? []
  }

  /** What is changed from now on, by whomever. It keeps the process alive until it is ended. */
  async watch(options?: SubscribeOptions): Promise<AsyncIterableIterator<EthtoolEvent>> {
    return watchEthtool(await this.#family(), options)
  }

  #family(): Promise<GenericFamily> {
    return this.#generic.family('ethtool')
  }

  /** The kernel's own name of a device, which ioctl wants. */
  async #name(link: DeviceReference, options: WaitOptions | undefined): Promise<string> {
    const [message] = await askDevice(await this.#family(), ETHTOOL_MSG.FEATURES_GET, link, {
      operation: 'find link',
      signal: options?.signal,
      flags: ETHTOOL_FLAG.COMPACT_BITSETS,
    })
    return message?.read(featuresTable).values.header?.name ?? ''
  }
}
