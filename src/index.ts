/**
 * Linux virtual networking: TAP and TUN devices as streams of frames, namespaces and links as typed objects.
 *
 * The front door: the names that most programs need. Each room has a sub-path of its own with the rest:
 * `netloom/tuntap`, `netloom/network`, `netloom/netns`, `netloom/port`, `netloom/frames`, …
 */
export { PrefixTable } from './address/index.js'
export { Capture, type CaptureOptions } from './capture/index.js'
export { isNetloomError, NetloomError, SystemError } from './errors/index.js'
export { decode, describe, encode, type LinkType, verifyChecksums } from './frames/index.js'
export { NetlinkError } from './netlink/core/index.js'
export type { Address, Link, WatchEvent } from './netlink/route/index.js'
export { Namespace } from './netns/index.js'
export { Network } from './network/index.js'
export { captureBytes, PcapngWriter, readCapture, toCaptureFile } from './pcap/index.js'
export {
  cutFrames,
  Forward,
  type ForwardOptions,
  FrameBatch,
  type FramePort,
  filter,
  forward,
  frames,
  impair,
  type PortEvent,
  packets,
  portPair,
  type SendResult,
  tee,
  toDuplex,
  toReadable,
  toWritable,
} from './port/index.js'
export { Tap, Tun, type TuntapOptions, tuntapFeatures } from './tuntap/index.js'
