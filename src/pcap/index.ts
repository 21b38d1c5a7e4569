/**
 * Capture files: pcap and pcapng, read and written as streams.
 *
 * {@link readCapture} gives batches, packets, or everything that is in a file, from any source of bytes;
 * {@link CaptureDecoder} does so for chunks that are pushed into it. {@link captureBytes}, {@link toCaptureFile} and
 * {@link CaptureEncoder} make files of batches; {@link PcapngWriter} and {@link PcapWriter} make their parts one by one.
 *
 * What is no capture file is refused with a {@link CaptureFileError}. A file that ends too early is read as far as it
 * goes, and says so (`cut`). Pure; loads on any platform. May use `errors`, `bytes`, `address`, `frames`.
 */

export { CaptureDecoder, type CaptureDecoderOptions } from './capture-decoder.js'
export { CaptureEncoder, type CaptureFileOptions, type CaptureInput } from './capture-encoder.js'
export { CaptureFileError } from './capture-error.js'
export {
  type CaptureCut,
  type CaptureInterface,
  type CaptureItem,
  type CaptureName,
  type CaptureNames,
  type CapturePacket,
  type CaptureSecrets,
  type CaptureSection,
  type CustomBlock,
  type InterfaceStatistics,
  type PcapVariant,
  type RawNameRecord,
  secretsKinds,
  type UnknownBlock,
} from './capture-items.js'
export { type FileBatch, FileFrames, isFileBatch, isFrameBatch } from './file-batch.js'
export { type FileLinkType, linkTypeName } from './file-link-type.js'
export type { KindAndBytes } from './option-codecs.js'
export type { RawOption } from './option-table.js'
export { type PcapPacket, PcapWriter, type PcapWriterOptions } from './pcap-writer.js'
export type { SectionInput } from './pcapng-blocks.js'
export { type BatchOptions, type InterfaceInput, type PacketInput, PcapngWriter } from './pcapng-writer.js'
export { CaptureReader, type CaptureSource, readCapture } from './read-capture.js'
export { microseconds, nanoseconds, type TimestampResolution } from './timestamp-scale.js'
export { captureBytes, toCaptureFile } from './to-capture-file.js'
