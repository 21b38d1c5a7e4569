import { construct, invalidArgumentValue, requireOwnCall } from '../errors/index.js'
import { type AdoptOptions, type Attached, adoptDescriptor, attachDevice, readDescriptor } from './attach.js'
import { setUpLink } from './link-setup.js'
import type { TuntapOptions } from './options.js'
import type { TakenDescriptor } from './taken-descriptor.js'
import { TuntapPort } from './tuntap-port.js'

/** What a TUN is opened with: it has no MAC address, no bridge and no Ethernet fragments. */
export type TunOptions = Omit<TuntapOptions, 'macAddress' | 'master' | 'napiFragments'>

/**
 * A TUN device, or one queue of it, as a port of IPv4 and IPv6 packets.
 *
 *     await using tun = await Tun.create({ name: 'tun0', mtu: 1420, addresses: ['10.8.0.1/24', 'fd00::1/64'] })
 */
export class Tun extends TuntapPort<'ip'> {
  private constructor(key: typeof construct, attached: Attached) {
    requireOwnCall(key)
    super('ip', attached)
  }

  /** See {@link Tap.create}. */
  static async create(options?: TunOptions): Promise<Tun> {
    checkTunOptions(options)
    return setUpLink(new Tun(construct, await attachDevice('ip', options, 'create')), options)
  }

  /** See {@link Tap.open}. */
  static async open(options: TunOptions & { name: string }): Promise<Tun> {
    checkTunOptions(options)
    return setUpLink(new Tun(construct, await attachDevice('ip', options, 'open')), options)
  }

  /** See {@link Tap.ensure}. */
  static async ensure(options: TunOptions & { name: string }): Promise<Tun> {
    checkTunOptions(options)
    return setUpLink(new Tun(construct, await attachDevice('ip', options, 'ensure')), options)
  }

  /** See {@link Tap.fromDescriptor}. */
  static async fromDescriptor(descriptor: number | TakenDescriptor, options?: AdoptOptions): Promise<Tun> {
    return new Tun(construct, await readDescriptor('ip', descriptor, options))
  }

  /** See {@link Tap.adopt}. */
  static async adopt(token: string): Promise<Tun> {
    return new Tun(construct, adoptDescriptor('ip', token))
  }

  /** See {@link Tap.openQueue}. */
  async openQueue(): Promise<Tun> {
    return new Tun(construct, this.nextQueue())
  }
}

function checkTunOptions(options: TuntapOptions | undefined): void {
  for (const key of ['macAddress', 'master', 'napiFragments'] as const) {
    if (options?.[key] !== undefined)
      throw invalidArgumentValue(`options.${key}`, options[key], 'is for TAP only')
  }
}
