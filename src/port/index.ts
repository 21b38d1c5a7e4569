/**
 * The seam: what carries frames ({@link FramePort}). They travel in a {@link FrameBatch} of `frames`.
 * May use `errors`, `lifecycle`, `bytes`, `address`, `frames`, `filter`.
 */
export { type AllocateOptions, BufferBatch, FrameBatch } from '../frames/index.js'
export { BatchReader, type DeliveredBatch } from './batch-reader.js'
export { type CutOptions, cutFrames } from './cut-frames.js'
export { type DuplexOptions, toDuplex } from './duplex.js'
export { type FilterPortOptions, filter } from './filter-port.js'
export {
  Forward,
  type ForwardCounters,
  type ForwardDirectionOptions,
  type ForwardEnd,
  type ForwardOptions,
  type ForwardRate,
  forward,
} from './forward.js'
export { type ForwardObserveOptions, ForwardObserver } from './forward-observer.js'
export { budgetSpent, type Framing, report, superFrameBits } from './handle.js'
export { type ImpairedPort, type Impairments, type ImpairOptions, impair } from './impair.js'
export { NativeBatch } from './native-batch.js'
export { NativePort, type NativePortOptions } from './native-port.js'
export { NextTurn } from './next-turn.js'
export { type ObservedPacket, PortObserver } from './observer.js'
export { frames, type Packet, packetOf, packets } from './packets.js'
export { type PairOptions, portPair } from './pair.js'
export type {
  CloseReason,
  FramePort,
  Offload,
  PortCounters,
  PortEvent,
  PortState,
  ReceiveOptions,
  SendResult,
  WaitOptions,
} from './port.js'
export { portClosed, portLocked } from './port-errors.js'
export { type ReceiveLimits, receiveLimits } from './receive-limits.js'
export { SelectedBatch } from './selected-batch.js'
export { checkSendable, type Sendable } from './sendable.js'
export { SenderLine, share } from './sender-line.js'
export { type Slab, slabPool } from './slab-pool.js'
export { stateChanges } from './state-changes.js'
export { type TeeOptions, tee } from './tee.js'
export { toReadable, toWritable } from './web-streams.js'
