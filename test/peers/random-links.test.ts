import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Network } from '../../src/network/index.js'
import { asIproute2, comparable, differencesOf } from '../support/iproute2-link.js'
import { watchLeaks } from '../support/leaks.js'
import { Random } from '../support/random.js'
import { requires, requiresRoot } from '../support/requires.js'

const sets = 500
const seed = Number(process.env.NETLOOM_SEED ?? 20_240_607)

/** Lines for `ip -batch` that make some links of the kinds that every kernel here has, with settings by chance. */
function randomLines(random: Random): string[] {
  const lines: string[] = []
  const ethernet: string[] = []
  const pick = <T>(...values: T[]): T => values[random.below(values.length)]!
  const maybe = (text: string) => (random.below(2) === 0 ? ` ${text}` : '')
  const toggle = (name: string) => maybe(`${name} ${pick('on', 'off')}`)
  const mac = () => `02:00:00:00:00:${(16 + random.below(200)).toString(16)}`
  // A link either has others on it or is a port.
  const taken: string[] = []
  const makers: ((name: string) => void)[] = [
    name => {
      lines.push(
        `link add ${name}${maybe(`mtu ${1280 + random.below(200)}`)}${maybe(`txqueuelen ${random.below(2000)}`)} type bridge` +
          maybe(`forward_delay ${200 + 100 * random.below(20)}`) +
          maybe(`ageing_time ${100 * random.below(500)}`) +
          maybe(`priority ${4096 * random.below(16)}`) +
          maybe(`stp_state ${random.below(2)}`) +
          maybe(`mcast_snooping ${random.below(2)}`) +
          maybe(`mcast_querier ${random.below(2)}`) +
          maybe(`mcast_router ${random.below(3)}`) +
          maybe(`mcast_hash_max ${2 ** (4 + random.below(8))}`) +
          maybe(`group_fwd_mask ${8 * random.below(32)}`) +
          maybe(`mcast_last_member_count ${1 + random.below(9)}`) +
          maybe(`mcast_query_interval ${1000 + 100 * random.below(100)}`) +
          maybe(`nf_call_iptables ${random.below(2)}`) +
          maybe(`mcast_igmp_version ${2 + random.below(2)}`) +
          maybe(`no_linklocal_learn ${random.below(2)}`),
      )
      const free = ethernet.filter(name => !taken.includes(name))
      if (free.length === 0 || random.below(3) === 0) return
      const port = pick(...free)
      lines.push(
        `link set ${port} master ${name}`,
        `link set ${port} type bridge_slave cost ${1 + random.below(1000)} priority ${random.below(64)}` +
          ['hairpin', 'guard', 'root_block', 'fastleave', 'learning', 'flood', 'mcast_flood', 'bcast_flood']
            .concat('mcast_to_unicast', 'proxy_arp', 'neigh_suppress', 'vlan_tunnel', 'isolated', 'locked')
            .map(toggle)
            .join('') +
          maybe(`group_fwd_mask ${8 * random.below(32)}`) +
          maybe(`mcast_router ${random.below(4)}`),
      )
      ethernet.splice(ethernet.indexOf(port), 1)
    },
    name => {
      lines.push(
        `link add ${name}${maybe(`address ${mac()}`)}${maybe(`numtxqueues ${1 + random.below(4)}`)} type veth ` +
          `peer name ${name}p${maybe(`mtu ${1280 + random.below(200)}`)}`,
      )
      ethernet.push(name, `${name}p`)
    },
    name => {
      const six = random.below(2) === 0
      const external = random.below(4) === 0
      const address = () => (six ? `fd00::${1 + random.below(99)}` : `10.0.0.${1 + random.below(99)}`)
      lines.push(
        `link add ${name} type vxlan dstport ${10_000 + lines.length} ` +
          (external
            ? 'external nolearning'
            : `id ${1 + random.below(0xff_ffff)}${maybe(`remote ${address()}`)} local ${address()}` +
              maybe(`ageing ${random.below(1000)}`) +
              maybe('proxy') +
              maybe('rsc') +
              maybe('l2miss') +
              maybe('l3miss') +
              maybe('gbp') +
              maybe(six ? `flowlabel ${1 + random.below(0xfffff)}` : 'noudpcsum')) +
          maybe(pick(`ttl ${1 + random.below(255)}`, 'ttl inherit')) +
          maybe(`tos ${pick('inherit', '4', '0x10')}`) +
          maybe(`df ${pick('set', 'unset', 'inherit')}`) +
          maybe(`maxaddress ${random.below(50)}`) +
          maybe(`srcport ${1000 + random.below(1000)} ${3000 + random.below(1000)}`) +
          maybe('udp6zerocsumtx') +
          maybe('udp6zerocsumrx') +
          maybe('remcsumtx') +
          maybe('remcsumrx'),
      )
    },
    name => {
      const free = ethernet.filter(name => !taken.includes(name))
      const lower = taken.length > 0 && random.below(2) === 0 ? pick(...taken) : pick(...free)
      if (lower === undefined) return
      if (!taken.includes(lower)) taken.push(lower)
      const kind = pick('macvlan', 'macvtap')
      const mode = pick('private', 'vepa', 'bridge', 'source')
      lines.push(
        `link add link ${lower} name ${name}${maybe(`address ${mac()}`)} type ${kind} mode ${mode}` +
          (mode === 'source' && kind === 'macvlan' ? maybe(`macaddr set ${mac()} 02:00:00:00:01:01`) : '') +
          maybe('nodst') +
          maybe(`bcqueuelen ${100 + random.below(2000)}`),
      )
    },
    name => lines.push(`link add ${name} type ifb`),
    name => lines.push(`tuntap add ${name} mode ${pick('tun', 'tap')}${maybe('multi_queue')}`),
  ]
  // Something to sit on first.
  makers[1]!('a0')
  for (let i = 1; i < 3 + random.below(5); i++) pick(...makers)(`a${i}`)
  const last = ethernet.at(-1)
  if (last !== undefined) {
    if (random.below(2) === 0) lines.push(`link set ${last} alias ${'x'.repeat(1 + random.below(50))}`)
    if (random.below(2) === 0)
      lines.push(`link property add dev ${last} altname other altname ${'n'.repeat(30)}`)
    if (random.below(2) === 0) lines.push(`link set ${last} group ${1 + random.below(1000)}`)
    if (random.below(2) === 0) lines.push(`link set ${last} addrgenmode ${pick('none', 'eui64', 'random')}`)
    if (random.below(2) === 0) lines.push(`link set ${last} gso_max_size ${2048 + random.below(60_000)}`)
    if (random.below(2) === 0) lines.push(`link set ${last} gso_max_segs ${1 + random.below(60_000)}`)
    if (random.below(2) === 0) lines.push(`link set ${last} gro_max_size ${2048 + random.below(60_000)}`)
    if (random.below(2) === 0) lines.push(`link set ${last} promisc on`)
    if (random.below(2) === 0) lines.push(`link set ${last} allmulticast on`)
    if (random.below(2) === 0) lines.push(`link set ${last} arp off`)
    if (random.below(2) === 0) lines.push(`link set ${last} multicast off`)
    if (random.below(2) === 0) lines.push(`link set ${last} up`)
  }
  return lines
}

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('links made by chance are read as iproute2 reads them', { timeout: 300_000 }, async t => {
    const directory = mkdtempSync(join(tmpdir(), 'netloom-'))
    const file = join(directory, 'batch')
    const random = new Random(seed)
    t.comment(`NETLOOM_SEED=${seed}`)
    let links = 0
    try {
      for (let set = 0; set < sets; set++) {
        await using network = await Network.create()
        const lines = randomLines(random)
        writeFileSync(file, `${lines.join('\n')}\n`)
        await network.namespace.exec('ip', ['-batch', file])
        const { stdout } = await network.namespace.exec('ip', ['-j', '-d', 'link'])
        const theirs = (JSON.parse(stdout) as Record<string, unknown>[]).map(comparable)
        const ours = await network.links.list()
        const names = new Map(ours.map(({ index, name }) => [index, name]))
        const differences = ours.flatMap(link => {
          const entry = theirs.find(({ ifindex }) => ifindex === link.index)
          return entry
            ? differencesOf(asIproute2(link, names), entry, link.name)
            : [`${link.name} is not there`]
        })
        t.equal(theirs.length, ours.length)
        t.same(differences, [], `set ${set}`) || t.comment(lines.join('\n'))
        for (const { raw, name } of ours) {
          if (raw.settings) t.fail(`${name}: settings are not known`)
          if (raw.settingAttributes.length > 0) t.fail(`${name}: some settings are not known`)
        }
        links += ours.length
        if (!t.passing()) break
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
    t.ok(links > 4 * sets, `${links} links`)
  })

  t.test('nothing is left', leaks)
}
