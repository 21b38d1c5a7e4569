import t from 'tap'
import {
  compileFilter,
  FilterError,
  type FilterProgram,
  filterLinkTypes,
  parseFilterProgram,
  runFilter,
} from '../../../src/filter/index.js'
import { linkTypes } from '../../../src/frames/index.js'
import { packetsOn } from '../../support/filter-packets.js'

const packets = packetsOn('ethernet')
const [tcp80] = packets as [Uint8Array]

function failure(expression: string, options?: Parameters<typeof compileFilter>[1]): FilterError {
  try {
    compileFilter(expression, options)
  } catch (error) {
    if (error instanceof FilterError) return error
    throw error
  }
  throw new Error(`${expression} is accepted`)
}

t.test('every link type of frames can be filtered, under the same number', async t => {
  // Of what datagrams carry there is nothing to say.
  const { user0: _, ...others } = linkTypes
  t.match(filterLinkTypes, others)
})

t.test('a program is instructions, bytes, text and a verdict', async t => {
  const program = compileFilter('ip', { snapLength: 96 })
  t.same(program.instructions, [
    { code: 0x28, jt: 0, jf: 0, k: 12 },
    { code: 0x15, jt: 0, jf: 1, k: 0x800 },
    { code: 0x06, jt: 0, jf: 0, k: 96 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ])
  t.equal(
    String(program),
    '(000) ldh      [12]\n(001) jeq      #0x800           jt 2\tjf 3\n(002) ret      #96\n(003) ret      #0',
  )
  t.same([...program.bytes().subarray(0, 16)], [0x28, 0, 0, 0, 12, 0, 0, 0, 0x15, 0, 0, 1, 0, 8, 0, 0])
  t.same([...program.bytes({ littleEndian: false }).subarray(8, 16)], [0, 0x15, 0, 1, 0, 0, 8, 0])
  t.equal(runFilter(program, tcp80), 96)
  t.equal(runFilter(program, tcp80.subarray(0, 13)), 0)
  t.ok(program.match(tcp80))
  t.ok(program.fitsKernel)
  t.same(parseFilterProgram(program.toDecimal()).instructions, program.instructions)
})

t.test('errors say where, what was expected and what was meant', async t => {
  t.match(failure('tcp prot 80'), {
    code: 'ERR_FILTER_INVALID',
    offset: 4,
    length: 4,
    suggestion: /port|proto/,
  })
  t.match(failure('host example.com'), { offset: 5, length: 11, suggestion: /resolve/ })
  t.match(failure('port 80 or port'), { offset: 15, length: 0, expected: /an address, a number/ })
  t.match(failure('ip[0:3] = 1'), { offset: 5, length: 1, message: /1, 2 or 4 bytes/ })
  t.match(failure('ip proto tcp'), { offset: 9, length: 3, suggestion: /\\tcp/ })
  t.match(failure('port htttp'), { offset: 5, suggestion: 'did you mean http?' })
  t.match(failure('ip and vlan', { linkType: 'ip' }), {
    offset: 7,
    length: 4,
    message: /raw IP has no VLAN tags/,
  })
  t.match(failure('ip and arp'), { offset: 0, length: 10, message: /No packet can pass/ })
  t.match(failure('80'), { offset: 2, suggestion: /^write port 80/ })
  t.match(failure('proto 6 and protochain 6'), { offset: 23, message: /loop/ })
  t.match(failure('gateway 10.0.0.1'), { offset: 8, suggestion: /ether host/ })
  t.match(failure('ip broadcast'), { suggestion: /netmask/ })
  t.match(failure(`${'('.repeat(300)}ip${')'.repeat(300)}`), { message: /too deeply/ })
  t.match(failure('ether[0] = 1', { linkType: 'linux-sll2', live: true }), { message: /no link header/ })
})

t.test('bad options are refused', async t => {
  t.throws(() => compileFilter(5 as unknown as string), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => compileFilter('ip', { linkType: 'x' as 'ip' }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => compileFilter('ip', { snapLength: 0 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => compileFilter('ip', { live: 1 as unknown as boolean }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => compileFilter('ip', { resolve: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => compileFilter('ip', { netmask: '255.255.0.255' }), { code: 'ERR_INVALID_ARG_VALUE' })
  for (const netmask of ['0.0.0.0', '128.0.0.0', '255.255.255.0', '255.255.255.255'])
    t.doesNotThrow(() => compileFilter('ip broadcast', { netmask }))
  t.throws(() => compileFilter('ip', { foo: 1 } as object), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => runFilter({} as FilterProgram, tcp80), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => runFilter(compileFilter('ip'), 'x' as unknown as Uint8Array), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
})

t.test('names are what `resolve` says', async t => {
  const asked: string[] = []
  const resolve = (name: string) => {
    asked.push(name)
    return ['10.0.0.1', '2001:db8::1']
  }
  const program = compileFilter('host example.com', { resolve })
  t.same(asked, ['example.com'])
  t.equal(String(program), String(compileFilter('host 10.0.0.1 or 2001:db8::1')))
  t.match(failure('host x', { resolve: () => [] }), { offset: 5 })
  const later = async () => ['192.0.2.1']
  t.match(failure('host x', { resolve: later as never }), { message: /promise/, suggestion: /before/ })
})

t.test('one expression finds a tag in the frame and beside it', async t => {
  const tagged = packets.find(packet => packet[12] === 0x81)!
  const untagged = Uint8Array.from([...tagged.subarray(0, 12), ...tagged.subarray(16)])
  const vlan = { tci: 0x2064 }
  for (const expression of ['vlan', 'vlan 100', 'vlan 100 and tcp port 80', 'vlan and host 10.0.0.1']) {
    const live = compileFilter(expression, { live: true })
    t.ok(compileFilter(expression).match(tagged), expression)
    t.notOk(compileFilter(expression).match(untagged, { vlan }), expression)
    t.ok(live.match(tagged), expression)
    t.ok(live.match(untagged, { vlan }), expression)
    t.notOk(live.match(untagged), expression)
  }
  const both = compileFilter('vlan 5 and vlan 100 and ip', { live: true })
  t.ok(both.match(tagged, { vlan: { tci: 5 } }))
  t.notOk(both.match(tagged, { vlan: { tci: 6 } }))
  t.notOk(both.match(tagged))
})

t.test('vxlan looks into the inner frame', async t => {
  const found = (expression: string) =>
    packets.filter(packet => compileFilter(expression).match(packet)).length
  t.equal(found('vxlan'), 2)
  t.equal(found('vxlan 42'), 2)
  t.equal(found('vxlan 43'), 0)
  t.equal(found('vxlan 42 and udp port 53'), 2)
  t.equal(found('vxlan 42 and tcp'), 0)
  t.equal(found('vxlan and ether host 2:0:0:0:0:1'), 2)
})

t.test('a live cooked socket has no link header', async t => {
  const packet = tcp80.subarray(14)
  for (const linkType of ['linux-sll', 'linux-sll2'] as const) {
    const program = compileFilter('tcp port 80 and outbound', { linkType, live: true })
    t.ok(program.match(packet, { protocol: 0x0800, direction: 'outbound' }))
    t.notOk(program.match(packet, { protocol: 0x0800, direction: 'inbound' }))
    t.notOk(program.match(packet, { direction: 'outbound' }), 'the protocol is not known')
  }
})

t.test('long lists are short programs', async t => {
  const hosts = Array.from({ length: 1000 }, (_, i) => `host 10.${i % 7}.${i >> 8}.${i & 255}`)
  const any = compileFilter(hosts.join(' or '))
  const none = compileFilter(hosts.map(host => `not ${host}`).join(' and '))
  t.ok(any.instructions.length < 3000, `${any.instructions.length} instructions`)
  t.ok(none.instructions.length < 3000, `${none.instructions.length} instructions`)
  const packet = tcp80.slice()
  for (let i = 0; i < 1000; i++) {
    for (const [place, other] of [
      [26, 30],
      [30, 26],
    ] as const) {
      packet.set([172, 16, 0, 1], other)
      packet.set([10, i % 7, i >> 8, i & 255], place)
      if (!any.match(packet) || none.match(packet)) t.fail(`host ${i} at ${place}`)
      packet[place + 1] = 8
      if (any.match(packet) || !none.match(packet)) t.fail(`not host ${i} at ${place}`)
    }
  }
  const arp = packets.find(frame => frame[12] === 8 && frame[13] === 6)!.slice()
  arp.set([10, 3, 0, 3], 38)
  t.ok(any.match(arp))
  arp.set([10, 9, 0, 3], 38)
  t.notOk(any.match(arp))
  const ports = compileFilter(Array.from({ length: 1000 }, (_, i) => `port ${i * 3}`).join(' or '))
  packet.set([0, 1, 2, 88], 34)
  t.ok(ports.match(packet), 'port 600')
  packet.set([0, 1, 2, 89], 34)
  t.notOk(ports.match(packet), 'ports 1 and 601')
  t.ok(ports.fitsKernel)
})

t.test('programs are checked', async t => {
  const end = [6, 0, 0, 1] as const
  const refuse = (program: Parameters<typeof parseFilterProgram>[0], message: RegExp) =>
    t.throws(() => parseFilterProgram(program), { code: 'ERR_FILTER_INVALID', message })
  refuse([], /1 to/)
  refuse([[0x28, 0, 0, 12]], /past the end/)
  refuse([[0x15, 0, 1, 0], end], /past the end/)
  refuse([[5, 0, 0, 0xffffffff], end], /past the end/)
  refuse([[0x34, 0, 0, 0], end], /divides by zero/)
  refuse([[0x64, 0, 0, 32], end], /shifts/)
  refuse([[0x60, 0, 0, 0], end], /not written/)
  refuse([[0x15, 0, 1, 0], [2, 0, 0, 3], [0x60, 0, 0, 3], end], /Instruction 2 .* not written/)
  refuse([[2, 0, 0, 16], end], /16 words/)
  refuse([[0xff, 0, 0, 0], end], /no operation/)
  refuse([[0x20, 0, 0, 0xfffff005], end], /extension/)
  refuse('2\n40 0 0 12\n', /says 2/)
  refuse('1\n40 0 0', /four numbers/)
  refuse('x', /decimal/)
  refuse('6 0 0 1', /begins with the number/)
  t.throws(() => parseFilterProgram([[6, 0, 0, -1]]), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => parseFilterProgram([null as never]), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => parseFilterProgram(5 as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.ok(parseFilterProgram('1,6 0 0 9').match(tcp80), 'as iptables writes them')
})

t.test('arithmetic has 32 bits', async t => {
  const value = (...steps: [number, number][]) =>
    parseFilterProgram([...steps.map(([code, k]) => [code, 0, 0, k] as const), [0x16, 0, 0, 0]]).run(tcp80)
  t.equal(value([0, 0xffffffff], [0x04, 2]), 1)
  t.equal(value([0, 1], [0x14, 2]), 0xffffffff)
  t.equal(value([0, 0x10001], [0x24, 0x10001]), 0x20001)
  t.equal(value([0, 0xfffffffe], [0x34, 2]), 0x7fffffff)
  t.equal(value([0, 0xffffffff], [0x94, 10]), 5)
  t.equal(value([0, 0x80000000], [0x74, 31]), 1)
  t.equal(value([0, 1], [0x64, 31]), 0x80000000)
  t.equal(value([0, 5], [0x84, 0]), 0xfffffffb)
  t.equal(value([1, 32], [0, 1], [0x6c, 0]), 0)
  t.equal(value([1, 0], [0, 1], [0x3c, 0]), 0, 'a division by zero refuses')
  t.equal(value([0, 0xf0f0], [0xa4, 0xffff]), 0x0f0f)
  t.equal(value([1, 0xffffffff], [0x50, 1]), 0, 'an offset does not wrap')
})
