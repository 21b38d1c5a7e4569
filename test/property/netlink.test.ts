import fc from 'fast-check'
import t from 'tap'
import { isNetloomError } from '../../src/errors/index.js'
import {
  bool8,
  bool32,
  bytes,
  type Codec,
  Conversation,
  type Field,
  ipAddress,
  littleEndian,
  MessageWriter,
  macAddress,
  NLM_F,
  Payload,
  readMessages,
  readTable,
  s32,
  text,
  u8,
  u16,
  u16be,
  u32,
  u32be,
  u64,
  writeTable,
} from '../../src/netlink/core/index.js'
import { readAddress } from '../../src/netlink/route/address.js'
import { linkKinds, portKinds } from '../../src/netlink/route/index.js'
import { hasMoved, readLink, readLinkStatistics } from '../../src/netlink/route/link.js'
import { createLinkRequest } from '../../src/netlink/route/link-request.js'
import { readNeighbor } from '../../src/netlink/route/neighbors.js'
import { readRoute } from '../../src/netlink/route/route.js'
import { changeRouteRequest } from '../../src/netlink/route/route-request.js'
import { emptyRequest } from '../../src/testing/fake-kernel.js'

const readers = { readLink, readLinkStatistics, hasMoved, readAddress, readRoute, readNeighbor }

/** Runs, and lets only protocol errors pass. */
function tolerate(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!isNetloomError(error, 'ERR_NETLINK_PROTOCOL')) throw error
  }
}

t.test('no bytes make a reader throw anything but a protocol error', async () => {
  for (const read of Object.values(readers)) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), noise => tolerate(() => read(new Payload(noise)))),
      { numRuns: 500 },
    )
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), noise => tolerate(() => readMessages(noise, () => {}))),
  )
})

t.test('nor do valid messages with some bytes changed', async () => {
  const messages = [
    createLinkRequest({
      kind: 'bridge',
      name: 'br0',
      mtu: 1400,
      macAddress: '02:00:00:00:00:01',
      bridge: { ageingTimeMs: 100, groupAddress: '01:80:c2:00:00:00', multicastQueryIntervalMs: 10 },
    }),
    createLinkRequest({ kind: 'veth', name: 'v0', peer: { name: 'v1' } }),
    changeRouteRequest(
      24,
      0,
      {
        destination: '10.0.0.0/8',
        gateway: 'fd00::1',
        mtu: 1300,
        nextHops: [
          { gateway: '10.0.0.1', link: 3 },
          { gateway: 'fd00::2', link: 4 },
        ],
      },
      Number,
    ),
  ]
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 })
  for (const { message: original } of messages) {
    fc.assert(
      fc.property(changes, edits => {
        const copy = original.slice(16)
        for (const [at, value] of edits) copy[at % copy.length] = value
        for (const read of Object.values(readers)) tolerate(() => read(new Payload(copy)))
      }),
      { numRuns: 500 },
    )
  }
})

t.test('nor the conversation, which ends every exchange at most once', async t => {
  const datagram = fc
    .array(
      fc.record({
        type: fc.constantFrom(1, 2, 3, 4, 16, 100),
        flags: fc.nat(0xffff),
        sequence: fc.nat(4),
        port: fc.constantFrom(0, 7),
        payload: fc.uint8Array({ maxLength: 60 }),
        length: fc.option(fc.nat(100), { nil: undefined }),
      }),
      { maxLength: 4 },
    )
    .map(messages => {
      const parts = messages.map(({ type, flags, sequence, port, payload, length }) => {
        const part = new Uint8Array((16 + payload.length + 3) & ~3)
        const view = new DataView(part.buffer)
        view.setUint32(0, length ?? 16 + payload.length, littleEndian)
        view.setUint16(4, type, littleEndian)
        view.setUint16(6, flags, littleEndian)
        view.setUint32(8, sequence, littleEndian)
        view.setUint32(12, port, littleEndian)
        part.set(payload, 16)
        return part
      })
      return Uint8Array.from(parts.flatMap(part => [...part]))
    })
  fc.assert(
    fc.property(fc.array(datagram, { maxLength: 20 }), datagrams => {
      const conversation = new Conversation({ send: () => {}, port: 7, budget: 1 << 20 })
      const ended = [0, 0, 0]
      const flags = [NLM_F.REQUEST | NLM_F.ACK, NLM_F.REQUEST | NLM_F.DUMP, NLM_F.REQUEST | NLM_F.ACK]
      for (const [i, each] of flags.entries()) {
        conversation.start({
          operation: 'test',
          request: emptyRequest(100, each),
          replyBytes: 0,
          onMessage: () => {},
          onDone: failure => {
            ended[i]!++
            if (failure !== undefined && !(failure instanceof Error)) throw failure
          },
        })
      }
      for (const each of datagrams) conversation.receive(each)
      conversation.fail(new Error('end'))
      t.ok(ended.every(count => count === 1))
    }),
    { numRuns: 300 },
  )
})

t.test('every setting of every kind of link survives the way through bytes', async t => {
  // biome-ignore lint/suspicious/noExplicitAny: a row of values of different types
  const arbitraries = new Map<Codec<any>, fc.Arbitrary<unknown>>([
    [u8, fc.nat(0xff)],
    [u16, fc.nat(0xffff)],
    [u16be, fc.nat(0xffff)],
    [u32, fc.nat(0xffff_ffff)],
    [u32be, fc.nat(0xffff_ffff)],
    [s32, fc.integer()],
    [u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
    [bool8, fc.boolean()],
    [bool32, fc.boolean()],
    [text, fc.string().filter(value => !value.includes('\0'))],
    [bytes, fc.uint8Array({ maxLength: 32 })],
    [
      macAddress,
      fc
        .uint8Array({ minLength: 6, maxLength: 6 })
        .map(all => [...all].map(byte => byte.toString(16).padStart(2, '0')).join(':')),
    ],
    [ipAddress, fc.constantFrom('10.0.0.1', 'fd00::1')],
  ])
  let tried = 0
  for (const kind of [...Object.values(linkKinds), ...Object.values(portKinds)]) {
    const rows = Object.entries<Field<unknown>>(kind.settings.fields)
    const absent = Object.fromEntries(
      rows.flatMap(([name, { codec }]) => (codec.absent === undefined ? [] : [[name, codec.absent]])),
    )
    for (const [name, field] of rows) {
      if (field.readOnly) continue
      const { examples } = field.codec
      // Of those that are made, not shared, only times have no examples.
      const arbitrary =
        arbitraries.get(field.codec) ??
        (examples ? fc.constantFrom(...examples) : fc.nat(1_000_000).map(value => 10 * value))
      fc.assert(
        fc.property(arbitrary, value => {
          const writer = new MessageWriter({
            type: 1,
            flags: 0,
            header: { length: 0, write() {} },
            name: 'x',
          })
          writeTable(writer, kind.settings, { [name]: value }, 'x')
          const payload = new Payload(writer.finish().message.subarray(16))
          const { values, unknown } = readTable(kind.settings, payload.attributes(0))
          t.same([values, unknown], [{ ...absent, [name]: value }, []])
        }),
        { numRuns: 20 },
      )
      tried++
    }
  }
  t.ok(tried > 100)
})
