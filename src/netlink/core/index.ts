/**
 * Netlink itself: messages and attributes to and from bytes, the conversation with the kernel, and the sockets
 * that carry it. What the messages mean is the business of the rooms beside this one.
 *
 * All but the sockets is pure. May use `errors`, `native` (through handle.ts), `bytes`, `address`, `lifecycle`,
 * `netns`.
 */

export {
  type ConnectionOptions,
  type DumpOptions,
  NetlinkConnection,
  type RequestOptions,
  type WaitOptions,
} from './connection.js'
export { NETLINK, NLM_F, NLMSG } from './constants.js'
export {
  acknowledgementBytes,
  Conversation,
  type ConversationOptions,
  type Exchange,
  type Ongoing,
} from './conversation.js'
export { DumpStream, type DumpStreamOptions } from './dump-stream.js'
export { littleEndian } from './endianness.js'
export {
  AttributeCursor,
  type Message,
  malformed,
  Payload,
  payloadOf,
  type RawAttribute,
  readMessages,
} from './message-reader.js'
export { type FixedPart, type Marks, MessageWriter, pathAt, type Request } from './message-writer.js'
export { type MonitorOptions, NetlinkMonitor } from './monitor.js'
export { NetlinkError, type NetlinkErrorOptions, type RequestContext } from './netlink-error.js'
export { RequestList } from './request-list.js'
export {
  action,
  addressField,
  type Bits,
  bits,
  bool8,
  bool32,
  bytes,
  type Codec,
  centiseconds,
  type Field,
  type Fields,
  field,
  ipAddress,
  ipv4,
  ipv6,
  list,
  macAddress,
  mapping,
  maskedBits,
  nest,
  portRange,
  presence,
  readIpAddress,
  readIpPrefix,
  readTable,
  reported,
  s32,
  type Table,
  type TableOptions,
  type TableValues,
  table,
  text,
  u8,
  u16,
  u16be,
  u32,
  u32be,
  u64,
  word,
  wordOf,
  writeTable,
} from './table.js'
