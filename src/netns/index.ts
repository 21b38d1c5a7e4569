/**
 * Network namespaces: making and naming them, and running programs and sockets inside.
 *
 * A {@link Namespace} is a descriptor, never a place where a thread sits: whatever is opened "in" it is opened
 * by a helper and handed back. May use `errors`, `native` (through handle.ts), `address`, `lifecycle`.
 */
export {
  CommandError,
  type ExecOptions,
  type ExecResult,
  type SpawnOptions,
} from './command.js'
export { Namespace, type NamespaceCreateOptions, type NamespaceOpenOptions } from './namespace.js'
export { OwnedDescriptor } from './owned-descriptor.js'
export {
  keepNamespace,
  type NamespaceDescriptor,
  type NamespaceHandle,
  type NamespaceHolder,
  type NamespaceReference,
  namespaceDescriptor,
} from './reference.js'
export type {
  BindOptions,
  ConnectOptions,
  Connector,
  ListenOptions,
  SocketKind,
  SocketOptions,
} from './socket.js'
export { NamespaceSocket } from './socket.js'
export { Sysctl } from './sysctl.js'
