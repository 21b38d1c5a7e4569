/**
 * Generic netlink: families that the kernel's subsystems register by name, found through the controller.
 *
 * {@link GenericConnection} gives any family untyped; {@link Ethtool} and {@link Wireguard} stand on it. May use `errors`, `native` (through handle.ts), `bytes`,
 * `address`, `lifecycle`, `netns`, `netlink/core`.
 */
export type { DeviceReference } from './device.js'
export type { NamedBits } from './ethtool/bitset.js'
export type { DriverInfo } from './ethtool/driver.js'
export { Ethtool, type StringSetName } from './ethtool/ethtool.js'
export { type Feature, type FeatureChanges, type FeatureGroup, Features } from './ethtool/features.js'
export {
  type EthtoolEntry,
  EthtoolReading,
  EthtoolSetting,
  type EthtoolSettingName,
  type EthtoolValues,
} from './ethtool/setting.js'
export type { FrameHistogram, StatisticsGroup } from './ethtool/statistics.js'
export type { EthtoolEvent } from './ethtool/watch.js'
export type { GenericFamilyInfo, GenericOperation } from './family-info.js'
export { GenericConnection } from './generic-connection.js'
export {
  type GenericEvent,
  GenericFamily,
  type GenericRequestOptions,
  type SubscribeOptions,
} from './generic-family.js'
export { type GenericContent, GenericMessage } from './generic-message.js'
export type { AttributePolicy, FamilyPolicy } from './policy.js'
export type { WireguardChange, WireguardPeerChange } from './wireguard/change.js'
export {
  generateWireguardKeys,
  generateWireguardPresharedKey,
  type WireguardKeys,
  wireguardPublicKey,
} from './wireguard/keys.js'
export { Wireguard, type WireguardDevice, type WireguardPeer } from './wireguard/wireguard.js'
