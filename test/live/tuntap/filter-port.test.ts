import t from 'tap'
import { describe } from '../../../src/frames/index.js'
import { Network } from '../../../src/network/index.js'
import { filter, packets } from '../../../src/port/index.js'
import { Tap, Tun } from '../../../src/tuntap/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t) && requires(t, 'ping')) {
  const leaks = watchLeaks()

  for (const [name, device, expression, expected] of [
    ['a TAP', Tap, 'arp', /^ARP who-has 10\.0\.0\.\d tell 10\.0\.0\.1/],
    ['a TUN', Tun, 'icmp and dst 10.0.0.3', /^IP 10\.0\.0\.1 > 10\.0\.0\.3: icmp echo request/],
  ] as const) {
    t.test(`a filter on ${name}`, async t => {
      await using network = await Network.create()
      await using port = await device.create({ in: network, addresses: ['10.0.0.1/24'] })
      const pings = ['10.0.0.2', '10.0.0.3'].map(address =>
        network.namespace.exec('ping', ['-c', '1', '-W', '1', address]).catch(() => {}),
      )
      let seen = 0
      for await (const { data, linkType } of packets(filter<'ethernet' | 'ip'>(port, expression))) {
        t.match(describe(data, linkType), expected)
        if (++seen === (expression === 'arp' ? 2 : 1)) break
      }
      await Promise.all(pings)
    })
  }

  t.test('leaves nothing behind', async t => leaks(t))
}
