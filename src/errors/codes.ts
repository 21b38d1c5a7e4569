/** What each of Netloom's own error codes means. */
export const errorCodes = {
  ERR_ADDRESS_DUPLICATE: 'another host on the link has this IPv6 address',
  ERR_ADDON_NOT_FOUND: 'the native addon could not be found or loaded',
  ERR_BATCH_RELEASED: 'a batch was used after its memory went back to the port',
  ERR_CAPTURE_FILE_INVALID: 'the bytes are no capture file, or break off its format',
  ERR_COMMAND_FAILED: 'a command ended with a code other than 0, or by a signal',
  ERR_DETACHED_TOKEN: 'a detach token is unknown or was claimed before',
  ERR_FILTER_INVALID: 'a filter cannot be compiled, or a program of filters cannot be run',
  ERR_FRAME_MALFORMED: 'the bytes are not a valid frame of this protocol',
  ERR_FRAME_TRUNCATED: 'the frame ends before its headers do',
  ERR_FRAME_TOO_LONG: 'a frame is longer than its port can carry',
  ERR_INVALID_STATE: 'the object cannot do this in its present state',
  ERR_LINK_MISMATCH: 'a link of that name exists, but of another kind or with other settings',
  ERR_LINK_NOT_FOUND: 'there is no such link in this namespace',
  ERR_NAMESPACE_EXISTS: 'a namespace of that name exists already',
  ERR_NAMESPACE_NOT_FOUND: 'there is no such namespace',
  ERR_SYSCTL_NOT_FOUND: 'the network has no such setting',
  ERR_NETLINK_DUMP_INTERRUPTED: 'the kernel kept changing what was being listed',
  ERR_NETLINK_OVERFLOW: 'the kernel dropped netlink messages; the outcome was not observed',
  ERR_NETLINK_PROTOCOL: 'a netlink reply does not follow the protocol',
  ERR_OBJECT_MISMATCH: 'what is in the place of the wanted object is not as asked',
  ERR_PORT_CLOSED: 'the port is closed',
  ERR_PORT_LOCKED: 'the port has a reader already',
  ERR_UNSUPPORTED: 'the running kernel or device does not offer this',
  ERR_UNSUPPORTED_PLATFORM: 'only Linux can open devices',
} as const

export type ErrorCode = keyof typeof errorCodes
