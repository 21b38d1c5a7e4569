/**
 * Integers in byte arrays, the Internet checksum, and hex.
 *
 * Nothing here checks bounds: callers have compared lengths before they read. Pure; loads on any platform.
 * May use `errors`.
 */
export { checksumSum, finishChecksum, internetChecksum, pseudoHeaderSum } from './checksum.js'
export { concatBytes, equalBytes, hex } from './hex.js'
export { readUint16, readUint32, writeUint16, writeUint32 } from './integer.js'
