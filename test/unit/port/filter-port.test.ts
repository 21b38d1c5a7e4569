import t from 'tap'
import { compileFilter } from '../../../src/filter/index.js'
import { encode, FrameBatch, frameFlags } from '../../../src/frames/index.js'
import { type FramePort, filter, packets, portPair, tee } from '../../../src/port/index.js'
import { isMarked, markedFrame, sequenceOf } from '../../support/marked-frames.js'
import { portConformance } from '../../support/port-conformance.js'

portConformance(t, 'filter', async () => {
  const [a, b] = portPair('ethernet')
  return [filter(a, ''), filter(b, 'not udp port 53')]
})

const link = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const udp = (port: number, vlan?: number) =>
  encode({
    ethernet: link,
    ...(vlan !== undefined && { vlans: [{ id: vlan }] }),
    ipv4,
    udp: { sourcePort: port, destinationPort: 9 },
    payload: new Uint8Array(30),
  })

portConformance(t, 'filter in another', async () => {
  const [a, b] = portPair('ethernet')
  return [a, filter(filter(b, 'not port 1'), compileFilter('ether proto 0x88b5'))]
})

async function received<T>(port: FramePort<'ethernet'>, look: (frame: Uint8Array) => T): Promise<T[]> {
  const found: T[] = []
  for (let batch = port.tryReceive(); batch; batch = port.tryReceive()) {
    for (const frame of batch) found.push(look(frame))
    batch.release()
  }
  return found
}

const sourcePort = (frame: Uint8Array) => new DataView(frame.buffer, frame.byteOffset).getUint16(34)

t.test('only what passes is received, and everything is sent', async t => {
  const [a, b] = portPair('ethernet')
  const port = filter(b, 'udp port 53')
  await a.send(FrameBatch.from('ethernet', [udp(53), udp(54), markedFrame(1), udp(53), udp(55)]))
  await a.send(FrameBatch.from('ethernet', [udp(1), udp(2)]))
  await a.send(FrameBatch.from('ethernet', [udp(53)]))
  t.same(await received(port, sourcePort), [53, 53, 53])
  t.equal(port.tryReceive(), undefined)
  await a.send(FrameBatch.from('ethernet', [udp(1), udp(53)]))
  for await (const packet of packets(port)) {
    t.equal(sourcePort(packet.data), 53)
    break
  }
  await port.send(markedFrame(3))
  t.same([...a.tryReceive()!].filter(isMarked).map(sequenceOf), [3], 'also what would not pass the other way')
  t.equal(b.counters().receivedFrames, 10n, 'the port beneath counts all')
})

t.test('the columns go with the frames', async t => {
  const [a] = portPair('ethernet')
  const whole = Object.assign(FrameBatch.from('ethernet', [udp(53), udp(54), udp(53), udp(53)]), {
    timestamps: BigInt64Array.of(1n, 2n, 3n, 4n),
    originalLengths: Uint32Array.of(100, 101, 102, 2000),
    flags: Uint32Array.of(frameFlags.inbound, 0, frameFlags.outbound, 0),
    vlans: Uint32Array.of(0, 0, 0x8100_0007, 0x8100_0008),
    interfaces: Uint32Array.of(5, 6, 7, 8),
  })
  const source = (batch: FrameBatch<'ethernet'>): FramePort<'ethernet'> => {
    let given = false
    return new Proxy(a, {
      get(port, name) {
        if (name === 'tryReceive') {
          return () => {
            if (given) return undefined
            given = true
            return batch
          }
        }
        const value = Reflect.get(port, name, port) as unknown
        return typeof value === 'function' ? value.bind(port) : value
      },
    })
  }
  const seen = (expression: string) => filter(source(whole), expression).tryReceive()
  const dns = seen('port 53')!
  t.equal(dns.count, 3)
  t.same(dns.timestamps, [1n, 3n, 4n])
  t.same(dns.originalLengths, [100, 102, 2000])
  t.same(dns.flags, [1, 2, 0])
  t.same(dns.vlans, [0, 0x8100_0007, 0x8100_0008])
  t.same(dns.interfaces, [5, 7, 8])
  t.same(
    [...dns].map(frame => Buffer.from(frame).equals(Buffer.from(udp(53)))),
    [true, true, true],
  )
  t.same(dns.copy(2), udp(53))
  t.throws(() => dns.frame(3), { code: 'ERR_OUT_OF_RANGE' })
  t.equal(dns.keep(), dns)
  t.equal(seen('udp'), whole, 'the batch itself where all pass')
  const times = (expression: string) => [...(seen(expression)?.timestamps ?? [])]
  t.same(times('vlan 8'), [4n], 'tags beside the frames')
  t.same(times('outbound'), [3n])
  t.same(times('inbound'), [1n, 2n, 4n])
  t.same(times('greater 1500'), [4n], 'lengths on the wire')
  t.same(times('ifindex 6'), [2n])
  t.same(times('tcp'), [])
  const tagged = FrameBatch.from('ethernet', [udp(53), udp(53, 7), udp(53, 8)])
  t.equal(filter(source(tagged), 'vlan 7 and port 53').tryReceive()?.count, 1, 'tags in the frames')
})

t.test('it is a port like others', async t => {
  const [a, b] = portPair('ethernet')
  const [port, observer] = tee(filter(b, 'port 53'))
  await a.send(FrameBatch.from('ethernet', [udp(53), udp(54)]))
  t.equal((await received(port, sourcePort)).length, 1)
  await port.close()
  t.match(await b.closed, { type: 'closed' })
  let count = 0
  for await (const _ of observer) count++
  t.equal(count, 1)
})

t.test('what is refused', async t => {
  const [a] = portPair('ethernet')
  t.throws(() => filter(a, 'udp prot 53'), { code: 'ERR_FILTER_INVALID' })
  t.throws(() => filter(a, 5 as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => filter(a, 'udp', { live: true } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => filter(a, 'host example.org'), { code: 'ERR_FILTER_INVALID' })
  t.doesNotThrow(() => filter(a, 'host example.org', { resolve: () => ['192.0.2.1'] }))
  t.doesNotThrow(() => filter(a, 'ip broadcast', { netmask: '255.255.255.0' }))
})
