import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import { FrameBatch, frameFlags } from '../../../src/frames/index.js'
import { PcapngWriter } from '../../../src/pcap/index.js'
import { fixture } from '../../support/fixture.js'

t.test('the blocks, byte by byte', async t => {
  const writer = new PcapngWriter()
  t.equal(
    hex(writer.section({ application: 'netloom' })),
    hex(
      fixture(`
        0a0d0d0a 2c000000   # section header, 44 bytes
        4d3c2b1a            # byte order: little-endian
        0100 0000           # version 1.0
        ffffffffffffffff    # section length: unknown
        0400 0700           # option: application, 7 bytes
        6e65746c6f6f6d 00   # "netloom", padding
        00000000            # end of options
        2c000000            # length again
      `),
    ),
  )
  t.equal(
    hex(writer.interface({ linkType: 'ip', name: 'tun0', snapLength: 1500 })),
    hex(
      fixture(`
        01000000 28000000   # interface description, 40 bytes
        6500 0000           # link type 101 (raw IP), reserved
        dc050000            # snapshot length
        0200 0400 74756e30  # option: name "tun0"
        0900 0100 09 000000 # option: time stamps in 10^-9 s, padding
        00000000            # end of options
        28000000
      `),
    ),
  )
  const packet = {
    timestamp: 0x0102030405060708n,
    data: fixture('aabbcc'),
    originalLength: 60,
    comments: ['é'],
    flags: frameFlags.outbound,
  }
  t.equal(
    hex(writer.packet(packet)),
    hex(
      fixture(`
        06000000 38000000   # enhanced packet, 56 bytes
        00000000            # interface 0
        04030201 08070605   # time stamp, upper and lower half
        03000000 3c000000   # captured, original length
        aabbcc 00           # data, padding
        0100 0200 c3a9 0000 # option: comment "é", padding
        0200 0400 02000000  # option: flags, outbound
        00000000            # end of options
        38000000
      `),
    ),
  )
  t.equal(
    writer.packet({ timestamp: 0n, data: new Uint8Array() }).length,
    32,
    'no options, no end of options',
  )
})

t.test('a section may be big-endian', async t => {
  const writer = new PcapngWriter()
  writer.section()
  t.equal(
    hex(writer.section({ littleEndian: false, length: 0x2cn })),
    '0a0d0d0a 0000001c 1a2b3c4d 0001 0000 000000000000002c 0000001c'.replaceAll(' ', ''),
  )
  t.throws(() => writer.packet({ timestamp: 0n, data: new Uint8Array() }), { code: 'ERR_OUT_OF_RANGE' })
  t.equal(
    hex(writer.interface({ linkType: 147 }).subarray(0, 16)),
    '000000010000002000930000'.padEnd(32, '0'),
  )
  t.equal(
    hex(writer.packet({ timestamp: 1n, data: Uint8Array.of(255) })),
    '00000006 00000024 00000000 00000000 00000001 00000001 00000001 ff000000 00000024'.replaceAll(' ', ''),
  )
})

t.test('what is refused', async t => {
  const writer = new PcapngWriter()
  const data = new Uint8Array(4)
  const batch = FrameBatch.from('ethernet', [data])
  t.throws(() => writer.interface({ linkType: 'ip' }), { code: 'ERR_INVALID_STATE' })
  t.throws(() => writer.packet({ timestamp: 0n, data }), { code: 'ERR_INVALID_STATE' })
  t.throws(() => writer.batch(batch), { code: 'ERR_INVALID_STATE' })
  t.throws(() => writer.block({ type: 'names', records: [] }), { code: 'ERR_INVALID_STATE' })
  t.throws(() => writer.section(null as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => writer.section({ application: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => writer.section({ version: [2, 0] }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => writer.section({ length: -1n }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => writer.section({ comments: 'one' as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => writer.interface({ linkType: 'ip' }), { code: 'ERR_INVALID_STATE' }, 'still no section')
  writer.section()
  t.throws(() => writer.packet({ timestamp: 0n, data }), { code: 'ERR_OUT_OF_RANGE' })
  for (const [input, code] of [
    [{ linkType: 'toString' }, 'ERR_INVALID_ARG_VALUE'],
    [{ linkType: 65536 }, 'ERR_OUT_OF_RANGE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [{ linkType: 'ip', snapLength: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ linkType: 'ip', name: 'x'.repeat(65536) }, 'ERR_OUT_OF_RANGE'],
    [{ linkType: 'ip', name: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ linkType: 'ip', timestampResolution: { base: 10, exponent: 128 } }, 'ERR_OUT_OF_RANGE'],
    [{ linkType: 'ip', timestampResolution: 6 }, 'ERR_OUT_OF_RANGE'],
    [{ linkType: 'ip', timestampOffsetSeconds: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ linkType: 'ip', macAddress: 'x' }, 'ERR_INVALID_ARG_VALUE'],
    [{ linkType: 'ip', euiAddress: '00:11' }, 'ERR_INVALID_ARG_VALUE'],
    [{ linkType: 'ip', ipv4Addresses: ['192.0.2.1'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ linkType: 'ip', ipv6Addresses: ['::1/x'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ linkType: 'ip', fcsLength: 256 }, 'ERR_OUT_OF_RANGE'],
    [{ linkType: 'ip', filter: { kind: 0, value: 'x' } }, 'ERR_INVALID_ARG_TYPE'],
    [{ linkType: 'ip', options: [{ code: 0, value: data }] }, 'ERR_OUT_OF_RANGE'],
  ] as const)
    t.throws(() => writer.interface(input as never), { code }, JSON.stringify(input).slice(0, 60))
  t.throws(() => writer.packet({ timestamp: 0n, data }), { code: 'ERR_OUT_OF_RANGE' }, 'still no interface')
  writer.interface({ linkType: 'ethernet' })
  for (const [input, code] of [
    [{ timestamp: 0, data }, 'ERR_INVALID_ARG_TYPE'],
    [{ timestamp: -1n, data }, 'ERR_OUT_OF_RANGE'],
    [{ timestamp: 1n << 64n, data }, 'ERR_OUT_OF_RANGE'],
    [{ ticks: 1n << 64n, data }, 'ERR_OUT_OF_RANGE'],
    [{ timestamp: 0n, data: 'x' }, 'ERR_INVALID_ARG_TYPE'],
    [{ timestamp: 0n, data, originalLength: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ interface: 1, timestamp: 0n, data }, 'ERR_OUT_OF_RANGE'],
    [{ timestamp: 0n, data, flags: 2 ** 32 }, 'ERR_OUT_OF_RANGE'],
    [{ timestamp: 0n, data, dropCount: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ timestamp: 0n, data, hashes: [{ kind: 256, value: data }] }, 'ERR_OUT_OF_RANGE'],
    [{ data, comments: ['a simple packet has none'] }, 'ERR_INVALID_ARG_TYPE'],
    [{ data, originalLength: 5 }, 'ERR_OUT_OF_RANGE'],
  ] as const)
    t.throws(() => writer.packet(input as never), { code })
  t.throws(() => writer.batch(FrameBatch.from('ip', [data])), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => writer.batch(batch, { interfaceOf: () => 1 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => writer.batch(batch, { timestamp: -1n }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => writer.batch([data] as never), { code: 'ERR_INVALID_ARG_TYPE' })
  for (const [block, code] of [
    [{ type: 'packet' }, 'ERR_INVALID_ARG_VALUE'],
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [{ type: 'statistics', interface: 1, ticks: 0n }, 'ERR_OUT_OF_RANGE'],
    [{ type: 'statistics', interface: 0, ticks: 0 }, 'ERR_INVALID_ARG_TYPE'],
    [{ type: 'names', records: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ type: 'names', records: [{ kind: 'x', address: '::', names: ['a'] }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ type: 'names', records: [{ kind: 'ipv4', address: '::', names: ['a'] }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ type: 'names', records: [{ kind: 'ipv6', address: '::', names: [] }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ type: 'names', records: [{ kind: 'ipv6', address: '::', names: ['\0'] }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ type: 'names', records: [{ kind: 0, value: data }] }, 'ERR_OUT_OF_RANGE'],
    [{ type: 'secrets', kind: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ type: 'custom', copy: true, enterprise: 1, data: new Uint8Array(3) }, 'ERR_INVALID_ARG_VALUE'],
    [{ type: 'unknown', blockType: -1, body: data }, 'ERR_OUT_OF_RANGE'],
  ] as const)
    t.throws(() => writer.block(block as never), { code })
})
