import t from 'tap'
import { PrefixTable } from '../../../src/address/index.js'

t.test('the longest prefix wins', async t => {
  const table = new PrefixTable<string>()
    .set('0.0.0.0/0', 'default')
    .set('10.0.0.0/8', 'ten')
    .set('10.1.0.0/16', 'ten one')
    .set('10.1.2.0/23', 'two and three')
    .set('10.1.2.3', 'host')
    .set('::/0', 'six')
    .set('2001:db8::/32', 'docs')
    .set('2001:db8:0:1::/64', 'net')
    .set('2001:db8:0:1::7', 'host six')
  t.equal(table.size, 9)
  for (const [address, value] of [
    ['9.9.9.9', 'default'],
    ['10.2.3.4', 'ten'],
    ['10.1.9.9', 'ten one'],
    ['10.1.3.255', 'two and three'],
    ['10.1.4.0', 'ten one'],
    ['10.1.2.3', 'host'],
    ['fe80::1', 'six'],
    ['2001:db8:1::', 'docs'],
    ['2001:db8:0:1:8::', 'net'],
    ['2001:db8:0:1::7', 'host six'],
    ['::ffff:10.1.2.3', 'six'],
  ] as const) {
    t.equal(table.lookup(address), value, address)
  }
  t.equal(table.lookupIpv4(0x0a010203), 'host')
  t.equal(table.lookupIpv4(0xffffffff), 'default')
  t.equal(table.lookupIpv4(-1), 'default')
  for (const bad of ['x', null, undefined, 1n]) {
    t.throws(() => table.lookupIpv4(bad as never), { code: 'ERR_INVALID_ARG_TYPE' }, `${bad}`)
  }
  for (const bad of [1.5, Number.NaN, 2 ** 32]) {
    t.throws(() => table.lookupIpv4(bad), { code: 'ERR_OUT_OF_RANGE' }, `${bad}`)
  }
  t.same(table.match('10.1.3.9'), { prefix: '10.1.2.0/23', value: 'two and three' })
  t.same(table.match('2001:db8:0:1::9'), { prefix: '2001:db8:0:1::/64', value: 'net' })
  t.same(table.match('8.8.8.8'), { prefix: '0.0.0.0/0', value: 'default' })
})

t.test('by the bytes of a packet', async t => {
  const table = new PrefixTable<number>().set('192.0.2.0/24', 4).set('2001:db8::/32', 6)
  const packet = new Uint8Array(40)
  packet.set([192, 0, 2, 9], 16)
  t.equal(table.lookupBytes(packet, 16, 4), 4)
  packet.set([0x20, 0x01, 0x0d, 0xb8], 24)
  t.equal(table.lookupBytes(packet, 24, 6), 6)
  for (const [offset, family] of [
    [-1, 4],
    [37, 4],
    [25, 6],
    [1.5, 4],
    [Number.NaN, 6],
  ] as const) {
    t.throws(() => table.lookupBytes(packet, offset, family), { code: 'ERR_OUT_OF_RANGE' }, `${offset}`)
  }
  t.throws(() => table.lookupBytes(packet, 0, 5 as never), { code: 'ERR_INVALID_ARG_VALUE' })
  for (const bad of [null, undefined, 'bytes', [10, 0, 0, 7]]) {
    t.throws(() => table.lookupBytes(bad as never, 0, 4), { code: 'ERR_INVALID_ARG_TYPE' }, `${bad}`)
  }
  const short = { code: 'ERR_OUT_OF_RANGE', message: /bytes\.length.* >= 4/ }
  t.throws(() => table.lookupBytes(packet.subarray(0, 2), 0, 4), short)
})

t.test('what is exactly there, and what is taken away', async t => {
  const table = new PrefixTable<number>().set('10.0.0.0/8', 1).set('10.0.0.0/9', 2).set('10.0.0.0/8', 3)
  t.equal(table.size, 2)
  t.equal(table.get('10.0.0.0/8'), 3)
  t.equal(table.get('10.0.0.0/10'), undefined)
  t.ok(table.has('10.0.0.0/9'))
  t.notOk(table.has('10.0.0.1'))
  t.ok(table.delete('10.0.0.0/8'))
  t.notOk(table.delete('10.0.0.0/8'))
  t.notOk(table.delete('10.0.0.1'))
  t.equal(table.lookup('10.200.0.1'), undefined)
  t.equal(table.lookup('10.2.0.1'), 2)
  t.equal(table.match('11.0.0.0'), undefined)
  table.clear()
  t.equal(table.size, 0)
  t.equal(table.lookup('10.2.0.1'), undefined)
  t.equal(new PrefixTable<undefined>().set('10.0.0.0/8', undefined).has('10.0.0.0/8'), true)
})

t.test('in the order of the addresses', async t => {
  const prefixes = [
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.0.0.0/16',
    '10.0.0.0/32',
    '10.0.128.0/17',
    '10.128.0.0/9',
    '10.255.0.0/16',
    '192.0.2.0/24',
    '::/0',
    '::/128',
    '2001:db8::/32',
    '2001:db8::/33',
    '2001:db8:8000::/33',
  ]
  const table = new PrefixTable<number>()
  for (const [i, prefix] of [...prefixes.entries()].reverse()) table.set(prefix, i)
  t.same(
    [...table],
    prefixes.map((prefix, i) => [prefix, i]),
  )
})

t.test('what is no prefix is refused', async t => {
  const table = new PrefixTable<number>()
  for (const bad of ['10.0.0.0/33', '10.0.0.1/24', '10.0.0.0/', 'ten', '', '2001:db8::1/64', 7, undefined]) {
    t.throws(() => table.set(bad as string, 1), TypeError, `${bad}`)
  }
  t.throws(() => table.lookup('10.0.0.0/8'), TypeError)
  t.equal(table.size, 0)
})
