/**
 * UDP in batches: {@link UdpSocket} moves many datagrams in one call, with the kernel's own segmentation and
 * coalescing.
 *
 * May use `errors`, `address`, `lifecycle`, `frames`, `netns`, `port`.
 */
export { DatagramBatch, type EndpointSource } from './datagram-batch.js'
export { Endpoint, type EndpointOptions } from './endpoint.js'
export type { PathMtuMode, UdpOptions } from './options.js'
export { type UdpEvent, type UdpSendOptions, UdpSocket } from './udp-socket.js'
