import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import { PcapngWriter } from '../../../src/pcap/index.js'
import { fixture } from '../../support/fixture.js'

t.test('the blocks, byte by byte', async t => {
  const writer = new PcapngWriter()
  t.equal(
    hex(writer.header({ application: 'netloom' })),
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
    direction: 'outbound',
    comment: 'é',
  } as const
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

t.test('what is refused', async t => {
  const writer = new PcapngWriter()
  const data = new Uint8Array(4)
  t.throws(() => writer.interface({ linkType: 'ip' }), { code: 'ERR_INVALID_STATE' })
  t.throws(() => writer.packet({ timestamp: 0n, data }), { code: 'ERR_INVALID_STATE' })
  writer.header()
  t.throws(() => writer.header(), { code: 'ERR_INVALID_STATE' })
  t.throws(() => writer.packet({ timestamp: 0n, data }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => writer.interface({ linkType: 'toString' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => writer.interface({ linkType: 'ip', name: 'x'.repeat(65536) }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => writer.interface({ linkType: 'ip', name: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  writer.interface({ linkType: 'ethernet' })
  t.throws(() => writer.packet({ timestamp: 0 as never, data }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => writer.packet({ timestamp: -1n, data }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => writer.packet({ timestamp: 1n << 64n, data }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => writer.packet({ timestamp: 0n, data: 'x' as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => writer.packet({ timestamp: 0n, data, originalLength: 3 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => writer.packet({ interface: 1, timestamp: 0n, data }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => writer.packet({ timestamp: 0n, data, direction: 'in' as never }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
})
