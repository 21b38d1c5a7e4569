import { invalidArgumentType, NetloomError } from '../../../errors/index.js'
import type { WaitOptions } from '../../core/index.js'
import { type DeviceReference, describeDevice } from '../device.js'
import type { GenericFamily } from '../generic-family.js'
import type { NamedBits } from './bitset.js'
import { ETHTOOL_FLAG, ETHTOOL_MSG } from './constants.js'
import { askDevice } from './setting.js'
import { featuresTable } from './settings.js'

/** One thing that a device, or the kernel for it, does with packets. */
export interface Feature {
  /** It does it. */
  readonly active: boolean
  /** It was asked to, which others may stand in the way of. */
  readonly wanted: boolean
  /** Cannot be changed. */
  readonly fixed: boolean
}

/** The short names of `ethtool -K`, and the features that each stands for: a `*` stands for anything. */
const groups = {
  rx: 'rx-checksum',
  tx: 'tx-checksum-*',
  sg: 'tx-scatter-gather*',
  tso: 'tx-tcp*-segmentation',
  ufo: 'tx-udp-fragmentation',
  gso: 'tx-generic-segmentation',
  gro: 'rx-gro',
  lro: 'rx-lro',
  rxvlan: 'rx-vlan-hw-parse',
  txvlan: 'tx-vlan-hw-insert',
  ntuple: 'rx-ntuple-filter',
  rxhash: 'rx-hashing',
} as const

/** The short names of `ethtool -K`. */
export type FeatureGroup = keyof typeof groups

/** Features on and off, by the kernel's names (`tx-checksum-ip-generic`) or the short ones (`tx`). */
export type FeatureChanges = { readonly [G in FeatureGroup]?: boolean | undefined } & {
  readonly [name: string]: boolean | undefined
}

/** What devices do beyond moving packets: checksums, segmentation, … */
export class Features {
  readonly #family: () => Promise<GenericFamily>

  /** @internal */
  constructor(family: () => Promise<GenericFamily>) {
    this.#family = family
  }

  /** All that the kernel knows, by its names. @throws NetloomError `ERR_LINK_NOT_FOUND` */
  async get(link: DeviceReference, options?: WaitOptions): Promise<Record<string, Feature>> {
    const [message] = await askDevice(await this.#family(), ETHTOOL_MSG.FEATURES_GET, link, {
      operation: 'get features',
      signal: options?.signal,
    })
    const { hardware = {}, wanted = {}, active = {}, fixed = {} } = message!.read(featuresTable).values
    return Object.fromEntries(
      Object.entries(hardware)
        // Some are the kernel's own business, and have no name.
        .filter(([name]) => !/^\d+$/.test(name))
        .map(([name, changeable]) => [
          name,
          {
            active: active[name] === true,
            wanted: wanted[name] === true,
            fixed: !changeable || fixed[name] === true,
          },
        ]),
    )
  }

  /**
   * Switches features, and tells what all are like then. Of a group, those that cannot be changed stay as they are.
   * One that is `wanted` may still not be `active`: `tso` needs `sg`.
   * @throws NetloomError `ERR_UNSUPPORTED` for what the kernel does not know or the device cannot change;
   *   `ERR_LINK_NOT_FOUND`; TypeError
   */
  async set(
    link: DeviceReference,
    changes: FeatureChanges,
    options?: WaitOptions,
  ): Promise<Record<string, Feature>> {
    if (typeof changes !== 'object' || changes === null) {
      throw invalidArgumentType('changes', 'an object', changes)
    }
    for (const [name, on] of Object.entries(changes)) {
      if (on !== undefined && typeof on !== 'boolean') {
        throw invalidArgumentType(`changes.${name}`, 'a boolean', on)
      }
    }
    const wanted = expand(changes, await this.get(link, options), describeDevice(link))
    await askDevice(await this.#family(), ETHTOOL_MSG.FEATURES_SET, link, {
      operation: 'set features',
      signal: options?.signal,
      flags: ETHTOOL_FLAG.OMIT_REPLY,
      table: featuresTable,
      values: { wanted },
    })
    return this.get(link, options)
  }
}

/** Single features go before groups. */
function expand(changes: FeatureChanges, features: Record<string, Feature>, link: string): NamedBits {
  const wanted: Record<string, boolean> = {}
  const singles: [name: string, on: boolean][] = []
  for (const [name, on] of Object.entries(changes)) {
    if (on === undefined) continue
    if (!Object.hasOwn(groups, name)) {
      singles.push([name, on])
      continue
    }
    const pattern = new RegExp(`^${groups[name as FeatureGroup].replace('*', '.*')}$`)
    const members = Object.keys(features).filter(feature => pattern.test(feature))
    const changeable = members.filter(feature => !features[feature]!.fixed)
    if (changeable.length === 0 && members.every(feature => features[feature]!.active !== on)) {
      throw new NetloomError('ERR_UNSUPPORTED', `${link} cannot switch ${name} ${on ? 'on' : 'off'}`)
    }
    for (const feature of changeable) wanted[feature] = on
  }
  for (const [name, on] of singles) {
    const feature = Object.hasOwn(features, name) ? features[name] : undefined
    if (!feature) throw new NetloomError('ERR_UNSUPPORTED', `the kernel has no feature ${name}`)
    if (!feature.fixed) wanted[name] = on
    else if (feature.active !== on) {
      throw new NetloomError('ERR_UNSUPPORTED', `${link} cannot switch ${name} ${on ? 'on' : 'off'}`)
    }
  }
  return wanted
}
