import t from 'tap'
import type { EthtoolEvent } from '../../../src/netlink/generic/index.js'
import type { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { createNetwork, requiresNetworks } from '../../support/network.js'
import { requires } from '../../support/requires.js'

/** A network with a cable, `v0` to `v1`, and a persistent TAP. */
async function prepare(): Promise<Network> {
  const network = await createNetwork()
  await network.links.create({
    kind: 'veth',
    name: 'v0',
    txQueues: 4,
    rxQueues: 4,
    peer: { name: 'v1' },
  })
  await network.namespace.exec('ip', ['tuntap', 'add', 'tap0', 'mode', 'tap'])
  return network
}

type Entry = Record<string, { active: boolean; fixed: boolean | null; requested: boolean | null }>

async function ethtool(network: Network, line: string): Promise<string> {
  return (await network.namespace.exec('ethtool', line.split(' '))).stdout
}

async function theirFeatures(network: Network, link: string): Promise<Entry> {
  return JSON.parse(await ethtool(network, `--json -k ${link}`))[0]
}

/** `  Key:  value` lines. */
function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^\s*([^:\n]+):[ \t]*(.*)$/gm)].map(([, key, value]) => [key, value]),
  )
}

if (requiresNetworks(t) && requires(t, 'ip', 'ethtool')) {
  const leaks = watchLeaks()

  t.test('features: ours are those of ethtool', async t => {
    await using network = await prepare()
    await ethtool(network, '-K v0 tx off gro on')
    for (const link of ['v0', 'tap0', 'lo']) {
      const ours = await network.ethtool.features.get(link)
      const theirs = await theirFeatures(network, link)
      let compared = 0
      for (const [name, { active, wanted, fixed }] of Object.entries(ours)) {
        // It has names of its own for groups and for some features.
        const their = theirs[name]
        if (!their || their.fixed === null) continue
        t.same({ active, fixed, requested: wanted }, their, `${link} ${name}`)
        compared++
      }
      t.ok(compared > 30)
    }
  })

  t.test('features: what they switch we see, and what we switch they see', async t => {
    await using network = await prepare()
    const { features } = network.ethtool
    await ethtool(network, '-K v0 tx off')
    const off = await features.get('v0')
    t.match(off['tx-checksum-ip-generic'], { active: false, wanted: false, fixed: false })
    t.match(off['tx-tcp-segmentation'], { active: false, wanted: true }, 'needs checksums')

    const on = await features.set('v0', { tx: true, gro: true })
    t.match(on['tx-checksum-ip-generic'], { active: true, wanted: true })
    t.match(on['rx-gro'], { active: true })
    let theirs = await theirFeatures(network, 'v0')
    t.equal(theirs['tx-checksumming']!.active, true)
    t.equal(theirs['generic-receive-offload']!.active, true)
    await features.set('v0', { tso: false, 'tx-checksum-sctp': false, sg: undefined })
    theirs = await theirFeatures(network, 'v0')
    t.equal(theirs['tcp-segmentation-offload']!.active, false)
    t.equal(theirs['tx-checksum-sctp']!.active, false)
    t.equal(theirs['scatter-gather']!.active, true)
  })

  t.test('each short name stands for what ethtool takes it for', async t => {
    await using network = await prepare()
    const { features } = network.ethtool
    for (const name of ['rx', 'tx', 'sg', 'tso', 'gso', 'gro', 'rxvlan', 'txvlan'] as const) {
      for (const on of [false, true]) {
        await ethtool(network, `-K v0 ${name} ${on ? 'on' : 'off'}`)
        const theirs = await features.get('v0')
        await ethtool(network, `-K v0 ${name} ${on ? 'off' : 'on'}`)
        t.same(await features.set('v0', { [name]: on }), theirs, `${name} ${on}`)
      }
    }
  })

  t.test('features that cannot be', async t => {
    await using network = await prepare()
    const { features } = network.ethtool
    const before = await features.get('v0')
    await t.rejects(features.set('v0', { 'no-such-feature': true }), {
      code: 'ERR_UNSUPPORTED',
      message: 'the kernel has no feature no-such-feature',
    })
    await t.rejects(features.set('v0', { tx: false, 'rx-fcs': true }), {
      code: 'ERR_UNSUPPORTED',
      message: 'v0 cannot switch rx-fcs on',
    })
    await t.rejects(features.set('v0', { lro: true }), { code: 'ERR_UNSUPPORTED' })
    // @ts-expect-error a word
    await t.rejects(features.set('v0', { tx: 'off' }), { code: 'ERR_INVALID_ARG_TYPE' })
    t.same(await features.get('v0'), before, 'nothing was done')
    t.same(await features.set('v0', { 'rx-fcs': false }), before, 'what is so already is no refusal')
    await t.rejects(features.get('none'), { code: 'ERR_LINK_NOT_FOUND', message: 'there is no link none' })
    await t.rejects(features.get(4711), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(features.get(''), { code: 'ERR_INVALID_ARG_VALUE' })
  })

  t.test('channels, both ways', async t => {
    await using network = await prepare()
    const { channels } = network.ethtool
    await ethtool(network, '-L v0 rx 2 tx 3')
    t.match(await channels.get('v0'), { rxMax: 4, txMax: 4, rx: 2, tx: 3 })
    await channels.set(await network.links.get('v0'), { rx: 4, tx: 1 })
    const theirs = await ethtool(network, '-l v0')
    t.match(theirs.slice(theirs.indexOf('Current')), /RX:\s+4\nTX:\s+1\n/)
    const all = await channels.list()
    t.same(all.map(entry => entry.name).sort(), ['tap0', 'v0', 'v1'], 'those that have them')
    t.match(
      all.find(entry => entry.name === 'v0'),
      { rx: 4, link: (await network.links.get('v0')).index },
    )
    await t.rejects(channels.set('v0', { rx: 99 }), {
      name: 'NetlinkError',
      operation: 'set channels',
      subject: 'v0',
      attribute: 'ethtool.rx',
    })
    await t.rejects(channels.set('v0', { rxMax: 9 }), { code: 'ERR_INVALID_ARG_VALUE' })
    // @ts-expect-error no such setting
    await t.rejects(channels.set('v0', { rxx: 9 }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(channels.get('lo'), { code: 'ENOTSUP' })
  })

  t.test('what a TAP can be told: modes, messages, coalescing', async t => {
    await using network = await prepare()
    const { linkModes, linkInfo, linkState, debug, coalesce } = network.ethtool
    await ethtool(network, '-s tap0 speed 2500 duplex half autoneg off')
    await ethtool(network, '-s tap0 msglvl drv on link on')
    await ethtool(network, '-C tap0 rx-frames 7')
    t.match(await linkModes.get('tap0'), {
      speedMegabitsPerSecond: 2500,
      duplex: 'half',
      autonegotiation: false,
    })
    t.same((await debug.get('tap0')).messages, { drv: true, link: true })
    t.match(await coalesce.get('tap0'), { rxMaxFrames: 7 })

    await linkModes.set('tap0', { speedMegabitsPerSecond: 100, duplex: 'full' })
    await debug.set('tap0', { messages: { drv: false, probe: true } })
    await coalesce.set('tap0', { rxMaxFrames: 9 })
    const theirs = pairs(await ethtool(network, 'tap0'))
    t.match(theirs, { Speed: '100Mb/s', Duplex: 'Full', Port: 'Twisted Pair', PHYAD: '0' })
    t.match(await ethtool(network, 'tap0'), /probe link/)
    t.match(await ethtool(network, '-c tap0'), /rx-frames:\s+9\n/)
    t.match(await linkInfo.get('tap0'), { port: 'tp', phyAddress: 0, transceiver: 'internal' })
    t.match(await linkState.get('tap0'), { linkDetected: false })
    t.equal(theirs['Link detected'], 'no')
    await t.rejects(debug.set('tap0', { messages: { nonsense: true } }), {
      name: 'NetlinkError',
      attribute: 'ethtool.messages.nonsense',
    })
  })

  t.test('timestamping', async t => {
    await using network = await prepare()
    const { capabilities, clock } = await network.ethtool.timestamping.get('tap0')
    const theirs = await ethtool(network, '-T tap0')
    for (const name of Object.keys(capabilities!)) t.match(theirs, `\t${name}`)
    t.ok(capabilities!['software-transmit'])
    t.equal(clock, undefined)
  })

  t.test('the driver and its statistics', async t => {
    await using network = await prepare()
    for (const link of ['v0', 'tap0']) {
      const driver = await network.ethtool.driver(link)
      t.match(
        pairs(await ethtool(network, `-i ${link}`)),
        {
          driver: driver.driver,
          version: driver.version,
          'firmware-version': driver.firmwareVersion,
          'bus-info': driver.busInfo,
          'supports-statistics': driver.statistics > 0 ? 'yes' : 'no',
          'supports-priv-flags': driver.privateFlags > 0 ? 'yes' : 'no',
        },
        link,
      )
    }
    const statistics = await network.ethtool.driverStatistics('v0')
    const theirs = pairs(await ethtool(network, '-S v0'))
    delete theirs['NIC statistics']
    t.same(Object.keys(statistics), Object.keys(theirs))
    t.equal(statistics.peer_ifindex, BigInt((await network.links.get('v1')).index))
    await network.links.create({ kind: 'bridge', name: 'br0' })
    await network.links.change('br0', { name: 'br1' })
    await t.rejects(network.ethtool.driverStatistics('br1'), {
      name: 'SystemError',
      code: 'ENOTSUP',
      syscall: 'ioctl',
      request: 'ETHTOOL_GSTRINGS',
      subject: 'br1',
    })
    await t.rejects(network.ethtool.driver('none'), { code: 'ERR_LINK_NOT_FOUND' })
    const groups = await network.ethtool.statistics('v0')
    const [json] = JSON.parse(await ethtool(network, '--json -S v0 --all-groups'))
    for (const [group, { values }] of Object.entries(groups)) t.same(values, json[group], group)
    t.ok('eth-mac' in groups)
  })

  t.test('an alternative name', async t => {
    await using network = await prepare()
    const altname = 'a-name-that-is-longer-than-fifteen-bytes'
    await network.namespace.exec('ip', ['link', 'property', 'add', 'dev', 'v0', 'altname', altname])
    t.equal((await network.ethtool.driver(altname)).driver, 'veth')
    t.ok((await network.ethtool.features.get(altname))['rx-gro'])
  })

  t.test('strings', async t => {
    await using network = await prepare()
    const names = await network.ethtool.strings('FEATURES')
    t.same(
      Object.keys(await network.ethtool.features.get('v0')).sort(),
      names.filter(name => name !== '').sort(),
    )
    t.same(
      await network.ethtool.strings('STATS', { link: 'v0' }),
      Object.keys(await network.ethtool.driverStatistics('v0')),
    )
    await t.rejects(network.ethtool.strings('STATS'), { name: 'NetlinkError' })
    // @ts-expect-error no such set
    await t.rejects(network.ethtool.strings('NONE'), { code: 'ERR_INVALID_ARG_VALUE' })
  })

  t.test('what is changed is told', async t => {
    await using network = await prepare()
    const watch = await network.ethtool.watch()
    await ethtool(network, '-K v0 gro on')
    await network.ethtool.channels.set('v0', { tx: 2 })
    await network.ethtool.debug.set('tap0', { messages: { link: true } })
    const events: EthtoolEvent[] = []
    const { index } = await network.links.get('v0')
    for await (const event of watch) {
      events.push(event)
      if (event.type === 'debug') break
    }
    const find = (type: string) => events.find(event => event.type === type)
    t.match(find('features'), { link: index, name: 'v0', active: { 'rx-gro': true } })
    t.match(find('channels'), { link: index, name: 'v0', values: { tx: 2, txMax: 4 } })
    t.match(find('debug'), { name: 'tap0', values: { messages: { link: true } } })
    t.same(await watch.next(), { done: true, value: undefined }, 'it has ended')
    const abort = new AbortController()
    const step = (await network.ethtool.watch({ signal: abort.signal })).next()
    abort.abort()
    await t.rejects(step, { name: 'AbortError' })
  })

  t.test('a closed network', async t => {
    const network = await prepare()
    const { ethtool } = network
    await network.close()
    t.throws(() => network.ethtool, { code: 'ERR_INVALID_STATE' })
    await t.rejects(ethtool.features.get('v0'), { code: 'ERR_INVALID_STATE' })
  })

  t.test('nothing is left', leaks)
}
