import t from 'tap'
import {
  checksumSum,
  concatBytes,
  equalBytes,
  finishChecksum,
  hex,
  internetChecksum,
  pseudoHeaderSum,
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
} from '../../../src/bytes/index.js'

t.test('integers are big-endian and unsigned', async t => {
  const bytes = new Uint8Array(8)
  writeUint16(bytes, 1, 0xfffe)
  writeUint32(bytes, 3, 0xfedcba98)
  t.equal(hex(bytes), '00fffefedcba9800')
  t.equal(readUint16(bytes, 1), 0xfffe)
  t.equal(readUint32(bytes, 3), 0xfedcba98)
})

t.test('hex, concatBytes, equalBytes', async t => {
  t.equal(hex(Uint8Array.of(0, 10, 255), ' '), '00 0a ff')
  t.equal(hex(new Uint8Array()), '')
  t.same(concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)), Uint8Array.of(1, 2, 3))
  t.ok(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)))
  t.notOk(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)))
  t.notOk(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0)))
})

t.test('the example of RFC 1071 section 3', async t => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7)
  t.equal(checksumSum(bytes), 0x2ddf0)
  t.equal(internetChecksum(bytes), ~0xddf2 & 0xffff)
})

t.test('the sum is that of 16-bit words at every length and alignment', async t => {
  const slab = new Uint8Array(70000)
  for (let i = 0; i < slab.length; i++) slab[i] = (i * 167 + (i >> 8)) & 0xff
  const lengths = [...Array(40).keys(), 255, 256, 257, 263, 264, 265, 1499, 1500, 65535, 65536]
  for (const length of lengths) {
    for (const start of [0, 1, 3, 4]) {
      const bytes = slab.subarray(start, start + length)
      let expected = 0
      for (let i = 0; i < length; i++) {
        expected += i % 2 ? bytes[i]! : bytes[i]! << 8
        expected = (expected & 0xffff) + (expected >>> 16)
      }
      t.equal(internetChecksum(bytes), ~expected & 0xffff, `length ${length} from ${start}`)
    }
  }
  t.equal(internetChecksum(new Uint8Array(70000).fill(0xff)), 0)
})

t.test('a sum may be built of parts, and over a correct checksum it is 0', async t => {
  const bytes = new Uint8Array(601).map((_, i) => i * 31)
  const parts = checksumSum(bytes, 0, 300) + checksumSum(bytes, 300)
  t.equal(finishChecksum(parts), internetChecksum(bytes))
  writeUint16(bytes, 10, 0)
  writeUint16(bytes, 10, internetChecksum(bytes))
  t.equal(internetChecksum(bytes), 0)
})

t.test('the pseudo-header of IPv4 and IPv6', async t => {
  const a4 = Uint8Array.of(10, 0, 0, 1)
  const b4 = Uint8Array.of(10, 0, 0, 2)
  const header4 = concatBytes(a4, b4, Uint8Array.of(0, 17, 0x12, 0x34))
  t.equal(finishChecksum(pseudoHeaderSum(a4, b4, 17, 0x1234)), internetChecksum(header4))
  const a6 = new Uint8Array(16).map((_, i) => 0x20 + i)
  const b6 = new Uint8Array(16).map((_, i) => 0xf0 + i)
  const header6 = concatBytes(a6, b6, Uint8Array.of(0, 1, 0x12, 0x34, 0, 0, 0, 58))
  t.equal(finishChecksum(pseudoHeaderSum(a6, b6, 58, 0x11234)), internetChecksum(header6))
})
