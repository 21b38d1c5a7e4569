/**
 * Generic netlink: families that the kernel's subsystems register by name, found through the controller.
 *
 * {@link GenericConnection} gives any family untyped. May use `errors`, `native` (through handle.ts), `bytes`,
 * `address`, `lifecycle`, `netns`, `netlink/core`.
 */
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
