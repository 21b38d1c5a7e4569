import t from 'tap'
import {
  checkInterfaceName,
  formatIpAddress,
  formatIpPrefix,
  formatIpv4,
  formatIpv6,
  formatMacAddress,
  parseIpAddress,
  parseIpPrefix,
  parseIpv4,
  parseIpv6,
  parseMacAddress,
} from '../../../src/address/index.js'
import { hex } from '../../../src/bytes/index.js'

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
const wrongValue = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }

t.test('MAC addresses', async t => {
  t.equal(hex(parseMacAddress('02:00:5E:10:00:ff')), '02005e1000ff')
  t.equal(hex(parseMacAddress('02-00-5e-10-00-FF')), '02005e1000ff')
  t.equal(formatMacAddress(parseMacAddress('0A:00:00:00:00:01')), '0a:00:00:00:00:01')
  t.equal(formatMacAddress(Uint8Array.of(9, 9, 1, 2, 3, 4, 5, 6, 9), 2), '01:02:03:04:05:06')
  for (const bad of [
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:01:02',
    '2:0:0:0:0:1',
    '02:00-00:00:00:01',
    '0g:00:00:00:00:01',
    ' 02:00:00:00:00:01',
    '02:00:00:00:00:01\n',
    '020000000001',
  ])
    t.throws(() => parseMacAddress(bad), wrongValue, JSON.stringify(bad))
  t.throws(() => parseMacAddress(5 as never), wrongType)
})

t.test('IPv4 addresses', async t => {
  t.equal(hex(parseIpv4('192.168.0.255')), 'c0a800ff')
  t.equal(formatIpv4(Uint8Array.of(0, 10, 0, 0, 1), 1), '10.0.0.1')
  for (const bad of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.',
    '1..2.3',
    '0x1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.-4',
    '1.2.3.4\n',
    '१.2.3.4',
    '1e1.0.0.1',
  ])
    t.throws(() => parseIpv4(bad), wrongValue, JSON.stringify(bad))
  t.throws(() => parseIpv4(null as never), wrongType)
})

t.test('IPv6 text and its canonical form (RFC 5952)', async t => {
  const canonical: [string, string][] = [
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:0db8:0000:0000:0000:0000:0002:0001', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::ABCD', '2001:db8::abcd'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:c000:0201', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:10.0.0.1', '1:2:3:4:5:6:a00:1'],
    ['fe80::', 'fe80::'],
  ]
  for (const [text, expected] of canonical) t.equal(formatIpv6(parseIpv6(text)), expected, text)
  t.equal(hex(parseIpv6('2001:db8::1:0:ff')), '20010db80000000000000001000000ff')
  const shifted = new Uint8Array(18)
  shifted[17] = 1
  t.equal(formatIpv6(shifted, 2), '::1')
})

t.test('what is not an IPv6 address', async t => {
  for (const bad of [
    '',
    ':',
    ':::',
    '1:::2',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    ':1::2',
    '1::2:',
    '1.2.3.4',
    '::1.2.3',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::ffff:01.2.3.4',
    'fe80::1%eth0',
    '[::1]',
    '::1/64',
    ' ::1',
    '::1\n',
    ':'.repeat(100000),
  ])
    t.throws(() => parseIpv6(bad), wrongValue, JSON.stringify(bad.slice(0, 40)))
  t.throws(() => parseIpv6('fe80::1%eth0'), { message: /zone/ })
  t.throws(() => parseIpv6({} as never), wrongType)
})

t.test('addresses and prefixes of either family', async t => {
  t.match(parseIpAddress('10.0.0.1'), { family: 4, bytes: Uint8Array.of(10, 0, 0, 1) })
  t.equal(parseIpAddress('fe80::1').family, 6)
  t.equal(formatIpAddress(parseIpAddress('FE80::1').bytes), 'fe80::1')
  t.equal(formatIpAddress(parseIpAddress('10.0.0.1').bytes), '10.0.0.1')
  t.throws(() => parseIpAddress('localhost'), wrongValue)
  t.throws(() => parseIpAddress(1 as never), wrongType)
  t.throws(() => formatIpAddress(new Uint8Array(5)), wrongValue)
  t.throws(() => formatIpAddress('10.0.0.1' as never), wrongType)

  for (const text of ['10.0.0.1/24', '0.0.0.0/0', 'fe80::1/64', '::/0', '::1/128'])
    t.equal(formatIpPrefix(parseIpPrefix(text)), text)
  t.equal(formatIpPrefix(parseIpPrefix('10.0.0.1')), '10.0.0.1/32')
  t.equal(formatIpPrefix(parseIpPrefix('::1')), '::1/128')
  for (const bad of [
    '10.0.0.1/33',
    '::/129',
    '10.0.0.1/',
    '10.0.0.1/08',
    '10.0.0.1/-1',
    '10.0.0.1/8/8',
    '/8',
  ])
    t.throws(() => parseIpPrefix(bad), wrongValue, bad)
  t.throws(() => parseIpPrefix('10.0.0.1/255.255.255.0'), wrongValue)
  t.throws(() => parseIpPrefix(undefined as never), wrongType)
  t.throws(() => formatIpPrefix({ bytes: new Uint8Array(4), length: 33 }), { code: 'ERR_OUT_OF_RANGE' })
})

t.test('interface names', async t => {
  for (const good of ['a', 'eth0', 'fifteen-bytes-x', 'veth@1', 'b.100', '...', 'ü', '日本語日本'])
    t.equal(checkInterfaceName(good), good)
  for (const bad of [
    '',
    '.',
    '..',
    'a/b',
    'a:1',
    'a b',
    'a\tb',
    'a\n',
    'a\vb',
    'a\0',
    'sixteen-bytes-xx',
    '日本語日本語',
    'à',
    'a\u00a0b',
    '\ud800',
    'x'.repeat(1e6),
  ])
    t.throws(() => checkInterfaceName(bad), wrongValue, JSON.stringify(bad.slice(0, 20)))
  t.throws(() => checkInterfaceName(1 as never), wrongType)
  t.equal(checkInterfaceName('tap%d', { pattern: true }), 'tap%d')
  t.equal(checkInterfaceName('tap0', { pattern: true }), 'tap0')
  t.throws(() => checkInterfaceName('tap%d'), wrongValue)
  for (const bad of ['tap%', 'tap%s', '%d%d', 'tap%d%', '%%d'])
    t.throws(() => checkInterfaceName(bad, { pattern: true }), wrongValue, bad)
})
