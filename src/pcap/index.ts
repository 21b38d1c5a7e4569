/**
 * Capture files.
 *
 * The writer makes blocks of bytes and leaves it to the caller where they go; a file is their concatenation. Pure;
 * loads on any platform. May use `errors`, `bytes`, `address`, `frames`.
 */
export {
  type PcapngHeaderOptions,
  type PcapngInterface,
  type PcapngPacket,
  PcapngWriter,
} from './pcapng-writer.js'
