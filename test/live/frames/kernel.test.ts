import { writeSync } from 'node:fs'
import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import {
  decode,
  encode,
  encodeOffloaded,
  encodeVirtioNet,
  FrameEditor,
  type FrameLayers,
  fragmentIpv4,
  fragmentIpv6,
  Reassembler,
  verifyChecksums,
  virtioNetFlags,
} from '../../../src/frames/index.js'
import { frames } from '../../../src/port/index.js'
import { Tun } from '../../../src/tuntap/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { createNetwork, requiresNetworks } from '../../support/network.js'
import { requiresKernel } from '../../support/requires.js'

// The kernel answers pings if it finds all sums right, and every fragment in its place.
if (requiresNetworks(t)) {
  const leaks = watchLeaks()
  const network = await createNetwork()
  const tun = await Tun.create({ in: network, mtu: 1280, addresses: ['10.9.0.1/24', 'fd09::1/64'] })
  const payload = Uint8Array.from({ length: 5000 }, (_, i) => i * 13)
  const ipv4 = { source: '10.9.0.2', destination: '10.9.0.1', identification: 7 }
  const ipv6 = { source: 'fd09::2', destination: 'fd09::1' }
  const echo = { identifier: 5, sequence: 1 }

  /** What comes back, put together, that is an answer to a ping. */
  const answer = async (): Promise<{ packet: Uint8Array; fragments: number }> => {
    const reassembler = new Reassembler()
    let fragments = 0
    for await (const packet of frames(tun)) {
      const { ipv4, ipv6 } = decode(packet, 'ip')
      if (ipv4?.moreFragments || ipv4?.fragmentOffset || ipv6?.extensions.some(({ type }) => type === 44))
        fragments++
      const whole = reassembler.add(packet, 0)
      const decoded = whole && decode(whole, 'ip')
      if (whole && (decoded?.icmp?.type === 0 || decoded?.icmpv6?.type === 129))
        return { packet: whole, fragments }
    }
    throw new Error('the device is gone')
  }

  t.test('the kernel puts our fragments together, and we put its', async t => {
    const cases: [FrameLayers, (packet: Uint8Array) => Uint8Array[]][] = [
      [{ ipv4, icmp: { type: 8, ...echo }, payload }, packet => fragmentIpv4(packet, 600)],
      [{ ipv6, icmpv6: { type: 128, ...echo }, payload }, packet => fragmentIpv6(packet, 1280)],
    ]
    for (const [layers, cut] of cases) {
      const answered = answer()
      const fragments = cut(encode(layers))
      t.ok(fragments.length > 3)
      for (const fragment of fragments.reverse()) await tun.send(fragment)
      const { packet, fragments: seen } = await answered
      t.ok(seen > 3, 'the answer came in fragments')
      t.equal(hex(decode(packet, 'ip').payload), hex(payload))
      t.notMatch(JSON.stringify(verifyChecksums(packet, 'ip')), /bad|unverifiable/)
    }
  })

  t.test('the kernel takes packets whose addresses were edited', async t => {
    for (const [layers, source] of [
      [{ ipv4: { ...ipv4, source: '10.9.0.77' }, icmp: { type: 8, ...echo } }, '10.9.0.2'],
      [{ ipv6: { ...ipv6, source: 'fd09::77' }, icmpv6: { type: 128, ...echo } }, 'fd09::2'],
    ] satisfies [FrameLayers, string][]) {
      const packet = encode({ ...layers, payload: payload.subarray(0, 100) })
      const editor = new FrameEditor().open(packet, 'ip')
      editor.source = source
      editor.ttl = 9
      const answered = answer()
      await tun.send(packet)
      const { ipv4, ipv6 } = decode((await answered).packet, 'ip')
      t.equal((ipv4 ?? ipv6)?.destination, source)
    }
  })

  t.test('the kernel completes a checksum that we leave to it', async t => {
    const from = await Tun.create({ in: network, vnetHeaderSize: 10, addresses: ['10.8.0.1/24'] })
    // A device without offloads gets whole packets only.
    const to = await Tun.create({ in: network, addresses: ['10.7.0.1/24'] })
    await network.sysctl.set('net.ipv4.ip_forward', 1)
    const addresses = { source: '10.8.0.2', destination: '10.7.0.2' }
    for (const transport of ['udp', 'tcp'] as const) {
      const { frame, checksumStart, checksumOffset } = encodeOffloaded({
        ipv4: addresses,
        [transport]: { sourcePort: 1000, destinationPort: 2000 },
        payload: payload.subarray(0, 9),
      })
      t.match(verifyChecksums(frame, 'ip'), { [transport]: 'bad' })
      const flags = virtioNetFlags.needsChecksum
      writeSync(from.fd, encodeVirtioNet({ flags, checksumStart, checksumOffset, payload: frame }))
      for await (const packet of frames(to)) {
        if (!decode(packet, 'ip')[transport]) continue
        t.same(verifyChecksums(packet, 'ip'), { ipv4: 'ok', [transport]: 'ok' })
        break
      }
    }
    await from.close()
    await to.close()
  })

  t.test('the kernel reads our VXLAN, and we read its', async t => {
    if (!requiresKernel(t, 'vxlan')) return
    await network.links.create({
      kind: 'vxlan',
      name: 'vx0',
      up: true,
      macAddress: '02:00:00:00:00:01',
      addresses: ['10.5.0.1/24'],
      vxlan: { id: 42, remote: '10.9.0.2', port: 4789 },
    })
    const sender = { senderMacAddress: '02:00:00:00:00:02', senderIpAddress: '10.5.0.2' }
    await tun.send(
      encode({
        ipv4,
        udp: { sourcePort: 49152, destinationPort: 4789 },
        vxlan: { vni: 42 },
        inner: {
          ethernet: { source: sender.senderMacAddress, destination: 'ff:ff:ff:ff:ff:ff' },
          arp: { operation: 1, ...sender, targetIpAddress: '10.5.0.1' },
        },
      }),
    )
    for await (const packet of frames(tun)) {
      const { ipv4, udp, vxlan, inner, issues } = decode(packet, 'ip')
      if (inner?.arp?.operation !== 2) continue
      t.match(
        { ipv4, udp, vxlan },
        {
          ipv4: { source: '10.9.0.1', destination: '10.9.0.2' },
          udp: { destinationPort: 4789 },
          vxlan: { vni: 42, flags: 0x0800 },
        },
      )
      t.match(inner, {
        ethernet: { source: '02:00:00:00:00:01', destination: sender.senderMacAddress },
        arp: { senderIpAddress: '10.5.0.1', targetIpAddress: '10.5.0.2' },
        issues: [],
      })
      t.same(issues, [])
      t.equal(hex(encode(decode(packet, 'ip'))), hex(packet))
      break
    }
  })

  t.test('closed', async t => {
    await tun.close()
    await network.close()
    await leaks(t)
  })
}
