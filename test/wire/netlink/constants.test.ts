import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  attributeHeaderLength,
  messageHeaderLength,
  NETLINK,
  NLA_F,
  NLM_F,
  NLMSG,
  NLMSGERR_ATTR,
} from '../../../src/netlink/core/constants.js'
import type { Field, Table } from '../../../src/netlink/core/index.js'
import {
  AF,
  BRIDGE_FLAGS,
  BRIDGE_VLAN_INFO,
  FIB_RULE,
  FR_ACT,
  FRA,
  ICMPV6_ROUTER_PREF,
  IFA,
  IFA_F,
  IFF,
  IFLA,
  IFLA_BRIDGE,
  IFLA_BRIDGE_VLAN_TUNNEL,
  IFLA_INET6,
  IFLA_INFO,
  MDB_FLAGS,
  MDB_RTR_TYPE,
  MDBA,
  MDBA_MDB,
  MDBA_MDB_EATTR,
  MDBA_MDB_SRCATTR,
  MDBA_MDB_SRCLIST,
  MDBA_ROUTER,
  MDBA_ROUTER_PATTR,
  MDBA_SET_ENTRY,
  MDBA_SET_ENTRY_ATTRS,
  MDBE_ATTR,
  MDBE_SRC_LIST,
  MDBE_SRCATTR,
  NDA,
  NETNSA,
  NEXTHOP_GRP_TYPE,
  NHA,
  NLM_F_BULK,
  NTF,
  NTF_EXT,
  NUD,
  RT_SCOPE,
  RT_TABLE,
  RTA,
  RTAX,
  RTEXT_FILTER,
  RTM,
  RTM_F,
  RTN,
  RTNH_F,
  RTNLGRP,
  RTPROT,
  VETH_INFO,
} from '../../../src/netlink/route/constants.js'
import { encapsulations } from '../../../src/netlink/route/encapsulation.js'
import { linkKinds, portKinds } from '../../../src/netlink/route/kinds/index.js'
import { ipv6LinkLocalModes } from '../../../src/netlink/route/link.js'
import { resilientSettings } from '../../../src/netlink/route/nexthops.js'
import { requires } from '../../support/requires.js'

const headers = [
  'sys/socket.h',
  'linux/netlink.h',
  'linux/rtnetlink.h',
  'linux/if.h',
  'linux/if_link.h',
  'linux/if_bonding.h',
  'linux/if_bridge.h',
  'linux/if_ether.h',
  'linux/if_vlan.h',
  'linux/if_addr.h',
  'linux/if_tun.h',
  'linux/neighbour.h',
  'linux/fib_rules.h',
  'linux/icmpv6.h',
  'linux/nexthop.h',
  'linux/lwtunnel.h',
  'linux/mpls_iptunnel.h',
  'linux/seg6_iptunnel.h',
  'linux/net_namespace.h',
  'linux/veth.h',
]

/** Every number of ours, by the name that the kernel's headers have for it. */
function ourNumbers(): Map<string, number> {
  const numbers = new Map<string, number>()
  const add = (prefix: string, rows: Record<string, number>, rename = (name: string) => name) => {
    for (const [name, value] of Object.entries(rows)) numbers.set(prefix + rename(name), value)
  }
  const upper = (name: string) => name.toUpperCase().replaceAll('-', '_')
  const plain = {
    NETLINK,
    NLMSG,
    NLM_F,
    NLMSGERR_ATTR,
    NLA_F,
    RTM,
    RTNLGRP,
    AF,
    IFF,
    IFLA,
    IFLA_INFO,
    IFLA_INET6,
    VETH_INFO,
    IFA,
    IFA_F,
    RTA,
    RTAX,
    RT_TABLE,
    RTNH_F,
    NDA,
    NTF,
    FRA,
    FIB_RULE,
    NHA,
    IFLA_BRIDGE,
    BRIDGE_FLAGS,
    BRIDGE_VLAN_INFO,
    IFLA_BRIDGE_VLAN_TUNNEL,
    RTEXT_FILTER,
    MDBA,
    MDBA_MDB_EATTR,
    MDBA_MDB_SRCLIST,
    MDBA_MDB_SRCATTR,
    MDBA_ROUTER,
    MDBA_ROUTER_PATTR,
    MDBE_ATTR,
    MDBE_SRC_LIST,
    MDBE_SRCATTR,
    MDB_FLAGS,
    NETNSA,
    RTM_F,
    NTF_EXT,
  }
  for (const [name, rows] of Object.entries(plain)) add(`${name}_`, rows)
  add('RTN_', RTN, upper)
  add('RT_SCOPE_', RT_SCOPE, upper)
  add('RTPROT_', RTPROT, upper)
  add('NUD_', NUD, upper)
  add('FR_ACT_', FR_ACT, word => (word === 'lookup' ? 'TO_TBL' : upper(word)))
  add('ICMPV6_ROUTER_PREF_', ICMPV6_ROUTER_PREF, upper)
  add('NEXTHOP_GRP_TYPE_', NEXTHOP_GRP_TYPE, word => (word === 'resilient' ? 'RES' : upper(word)))
  const routerTypes: Record<string, string> = { permanent: 'PERM', temporary: 'TEMP' }
  add('MDB_RTR_TYPE_', MDB_RTR_TYPE, word => routerTypes[word] ?? upper(word))
  add('MDBA_MDB_', MDBA_MDB)
  numbers.set('MDBA_SET_ENTRY', MDBA_SET_ENTRY)
  numbers.set('MDBA_SET_ENTRY_ATTRS', MDBA_SET_ENTRY_ATTRS)
  numbers.set('NLM_F_BULK', NLM_F_BULK)
  add('IN6_ADDR_GEN_MODE_', ipv6LinkLocalModes, upper)
  const addTable = ({ prefix, fields, padding }: Table) => {
    if (padding !== undefined) numbers.set(`${prefix}PAD`, padding)
    for (const { type, kernelName, six, codec } of Object.values(fields)) {
      numbers.set(prefix + kernelName, type)
      if (six) numbers.set(prefix + six.kernelName, six.type)
      if (codec.table) addTable(codec.table)
    }
  }
  for (const { settings } of [...Object.values(linkKinds), ...Object.values(portKinds)]) addTable(settings)
  for (const [name, { number, table }] of Object.entries(encapsulations)) {
    numbers.set(`LWTUNNEL_ENCAP_${name.toUpperCase()}`, number)
    addTable(table)
  }
  addTable(resilientSettings)
  const { bond, geneve, ipvlan, macvlan, vlan, vxlan } = linkKinds
  const words = (prefix: string, { codec }: Field<unknown>, names: Record<string, string> = {}) =>
    add(prefix, codec.words!, word => names[word] ?? upper(word))
  words('VLAN_FLAG_', vlan.settings.fields.flags, {
    reorderHeader: 'REORDER_HDR',
    looseBinding: 'LOOSE_BINDING',
    bridgeBinding: 'BRIDGE_BINDING',
  })
  words('ETH_P_', vlan.settings.fields.protocol, { '802.1q': '8021Q', '802.1ad': '8021AD' })
  words('MACVLAN_MODE_', macvlan.settings.fields.mode)
  words('MACVLAN_FLAG_', macvlan.settings.fields.flags, {
    noPromiscuous: 'NOPROMISC',
    noDestination: 'NODST',
  })
  words('MACVLAN_MACADDR_', macvlan.settings.fields.sourceAction, { delete: 'DEL' })
  words('IPVLAN_MODE_', ipvlan.settings.fields.mode)
  words('IPVLAN_F_', ipvlan.settings.fields.flags)
  words('VXLAN_DF_', vxlan.settings.fields.dontFragment)
  words('GENEVE_DF_', geneve.settings.fields.dontFragment)
  words('BR_STATE_', portKinds.bridgePort.settings.fields.state)
  words('BOND_MODE_', bond.settings.fields.mode, {
    'balance-rr': 'ROUNDROBIN',
    'active-backup': 'ACTIVEBACKUP',
    'balance-xor': 'XOR',
    '802.3ad': '8023AD',
    'balance-tlb': 'TLB',
    'balance-alb': 'ALB',
  })
  words('BOND_XMIT_POLICY_', bond.settings.fields.transmitHashPolicy, {
    'layer3+4': 'LAYER34',
    'layer2+3': 'LAYER23',
    'encap2+3': 'ENCAP23',
    'encap3+4': 'ENCAP34',
    'vlan+srcmac': 'VLAN_SRCMAC',
  })
  numbers.set('NLMSG_HDRLEN', messageHeaderLength)
  numbers.set('NLA_HDRLEN', attributeHeaderLength)
  return numbers
}

if (requires(t, 'cc')) {
  t.test('numbers are those of the kernel’s headers', async t => {
    const directory = mkdtempSync(join(tmpdir(), 'netloom-'))
    try {
      const ours = ourNumbers()
      t.ok(ours.size > 200)
      let names = [...ours.keys()]
      const missing: string[] = []
      const program = join(directory, 'numbers')
      // Headers that are older than this library lack some names.
      for (;;) {
        const source = [
          '#include <stdio.h>',
          ...headers.map(header => `#include <${header}>`),
          'int main(void) {',
          ...names.map(name => `printf("${name} %lld\\n", (long long)(unsigned)(${name}));`),
          'return 0; }',
        ].join('\n')
        const compiled = spawnSync('cc', ['-x', 'c', '-o', program, '-'], { input: source, encoding: 'utf8' })
        if (compiled.status === 0) break
        const unknown = new Set(
          [...compiled.stderr.matchAll(/['‘](\w+)['’] undeclared/g)].map(match => match[1]!),
        )
        if (unknown.size === 0) throw new Error(compiled.stderr)
        missing.push(...unknown)
        names = names.filter(name => !unknown.has(name))
      }
      t.ok(missing.length < ours.size / 10, `not in these headers: ${missing.join(', ') || 'nothing'}`)
      for (const line of execFileSync(program, { encoding: 'utf8' }).trim().split('\n')) {
        const [name, value] = line.split(' ')
        t.equal(ours.get(name!), Number(value), name!)
      }
      t.comment(`not in these headers: ${missing.join(', ') || 'nothing'}`)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
}
