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
  CTRL_CMD,
  GENL_HDRLEN,
  GENL_ID_CTRL,
  operationFlags,
} from '../../../src/netlink/generic/constants.js'
import {
  BITSET,
  BITSET_BIT,
  BITSET_BITS,
  ETH_SS,
  ETHTOOL_FLAG,
  ETHTOOL_MSG,
  STATS,
  STATS_GRP,
} from '../../../src/netlink/generic/ethtool/constants.js'
import {
  crossovers,
  duplexes,
  settings as ethtoolSettings,
  featuresTable,
  headerTable,
  linkProblems,
  ports,
  powerModes,
  powerPolicies,
  rateMatchings,
  roleStates,
  roles,
  stringSetsTable,
  transceivers,
} from '../../../src/netlink/generic/ethtool/settings.js'
import { familyTable } from '../../../src/netlink/generic/family-info.js'
import { attributeTypes, policyNumbers, policyTable } from '../../../src/netlink/generic/policy.js'
import { keyLength } from '../../../src/netlink/generic/wireguard/keys.js'
import { deviceFlags, deviceTable, peerFlags, WG_CMD } from '../../../src/netlink/generic/wireguard/tables.js'
import * as netfilter from '../../../src/netlink/netfilter/constants.js'
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
} from '../../../src/netlink/route/constants.js'
import { encapsulations } from '../../../src/netlink/route/encapsulation.js'
import { filterProtocols } from '../../../src/netlink/route/filters.js'
import { bridgeOptions } from '../../../src/netlink/route/kinds/bridge.js'
import { ipv6TunnelFlags } from '../../../src/netlink/route/kinds/encapsulation.js'
import { greFlags } from '../../../src/netlink/route/kinds/gre.js'
import { type LinkKind, linkKinds, portKinds } from '../../../src/netlink/route/kinds/index.js'
import { ipv6LinkLocalModes, xdpTable } from '../../../src/netlink/route/link.js'
import { resilientSettings } from '../../../src/netlink/route/nexthops.js'
import { verdicts } from '../../../src/netlink/route/traffic/actions/action.js'
import { actionKinds, TCA_ACT } from '../../../src/netlink/route/traffic/actions/index.js'
import { mirredOperations } from '../../../src/netlink/route/traffic/actions/mirred.js'
import { tunnelKeyOperations } from '../../../src/netlink/route/traffic/actions/tunnel-key.js'
import { vlanOperations } from '../../../src/netlink/route/traffic/actions/vlan.js'
import { ipProtocols } from '../../../src/netlink/route/traffic/filters/flower.js'
import { filterKinds } from '../../../src/netlink/route/traffic/filters/index.js'
import { ingressParent, parseHandle } from '../../../src/netlink/route/traffic/handle.js'
import { TCA } from '../../../src/netlink/route/traffic/message.js'
import { classKinds, qdiscKinds } from '../../../src/netlink/route/traffic/qdiscs/index.js'
import { TCA_STATS } from '../../../src/netlink/route/traffic/statistics.js'
import { requires } from '../../support/requires.js'

const headers = [
  'sys/socket.h',
  'netinet/in.h',
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
  'linux/netfilter/nfnetlink.h',
  'linux/netfilter_ipv4.h',
  'linux/netfilter/nf_nat.h',
  'linux/netfilter/nf_tables.h',
  'linux/genetlink.h',
  'linux/gen_stats.h',
  'linux/ethtool.h',
  'linux/ethtool_netlink.h',
  'linux/wireguard.h',
  'linux/in.h',
  'linux/pkt_sched.h',
  'linux/pkt_cls.h',
  'linux/tc_act/tc_gact.h',
  'linux/tc_act/tc_mirred.h',
  'linux/tc_act/tc_skbedit.h',
  'linux/tc_act/tc_tunnel_key.h',
  'linux/tc_act/tc_vlan.h',
  'linux/ip.h',
  'linux/in6.h',
  'linux/if_tunnel.h',
  'linux/ip6_tunnel.h',
  'linux/if_macsec.h',
  'linux/can/vxcan.h',
]

const generic = {
  adminOnly: 'ADMIN_PERM',
  request: 'CMD_CAP_DO',
  dump: 'CMD_CAP_DUMP',
  hasPolicy: 'CMD_CAP_HASPOL',
  namespaceAdmin: 'UNS_ADMIN_PERM',
}
const peer = { remove: 'REMOVE_ME', replaceAllowedAddresses: 'REPLACE_ALLOWEDIPS', updateOnly: 'UPDATE_ONLY' }

const ipv6FlagNames = {
  ignoreEncapsulationLimit: 'IGN_ENCAP_LIMIT',
  originalTrafficClass: 'USE_ORIG_TCLASS',
  originalFlowLabel: 'USE_ORIG_FLOWLABEL',
  mobileIpv6: 'MIP6_DEV',
  copyDscp: 'RCV_DSCP_COPY',
  originalMark: 'USE_ORIG_FWMARK',
  allowLocalRemote: 'ALLOW_LOCAL_REMOTE',
}

const bridgeOptionNames = {
  noLinkLocalLearning: 'NO_LL_LEARN',
  multicastVlanSnooping: 'MCAST_VLAN_SNOOPING',
  multipleSpanningTrees: 'MST_ENABLE',
  mdbOffloadFailNotification: 'MDB_OFFLOAD_FAIL_NOTIFICATION',
  localVlan0: 'FDB_LOCAL_VLAN_0',
}

const peerNames: Record<string, string> = {
  veth: 'VETH_INFO_PEER',
  vxcan: 'VXCAN_INFO_PEER',
  netkit: 'IFLA_NETKIT_PEER_INFO',
}

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
    IFA,
    IFA_F,
    RTA,
    RTAX,
    RT_TABLE,
    RTNH_F,
    NDA,
    NTF,
    CTRL_CMD,
    ETHTOOL_MSG,
    ETHTOOL_FLAG,
    ETHTOOL_A_BITSET: BITSET,
    ETHTOOL_A_BITSET_BIT: BITSET_BIT,
    ETHTOOL_A_BITSET_BITS: BITSET_BITS,
    ETHTOOL_A_STATS: STATS,
    ETHTOOL_A_STATS_GRP: STATS_GRP,
    ETH_SS,
    WG_CMD,
    TCA,
    TCA_ACT,
    TCA_STATS,
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
  const { NFT_REG, ...tables } = netfilter
  for (const [name, rows] of Object.entries(tables)) add(`${name}_`, rows)
  add('NFT_', NFT_REG)
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
  for (const { table } of [...Object.values(ethtoolSettings), ...Object.values(actionKinds)]) addTable(table)
  for (const each of [headerTable, featuresTable, stringSetsTable, familyTable, policyTable, deviceTable]) {
    addTable(each)
  }
  const trafficCodecs: { readonly table?: Table }[] = [qdiscKinds, classKinds, filterKinds].flatMap(
    Object.values,
  )
  for (const { table } of trafficCodecs) if (table) addTable(table)
  add('NL_ATTR_TYPE_', attributeTypes, upper)
  add('CTRL_ATTR_', policyNumbers)
  add('GENL_', operationFlags, name => generic[name as keyof typeof operationFlags])
  add('PORT_', ports, upper)
  add('XCVR_', transceivers, upper)
  add('DUPLEX_', duplexes, upper)
  add('ETH_TP_MDI', crossovers, name => (name === 'mdi' ? '' : name === 'mdi-x' ? '_X' : `_${upper(name)}`))
  add('MASTER_SLAVE_CFG_', roles, upper)
  add('MASTER_SLAVE_STATE_', roleStates, upper)
  add('RATE_MATCH_', rateMatchings, upper)
  add('ETHTOOL_LINK_EXT_STATE_', linkProblems, upper)
  add('ETHTOOL_MODULE_POWER_MODE_POLICY_', powerPolicies, upper)
  add('ETHTOOL_MODULE_POWER_MODE_', powerModes, upper)
  add('WGDEVICE_F_', deviceFlags, () => 'REPLACE_PEERS')
  add('WGPEER_F_', peerFlags, name => peer[name as keyof typeof peerFlags])
  add('TC_ACT_', verdicts, name => (name === 'pass' ? 'OK' : name === 'drop' ? 'SHOT' : upper(name)))
  numbers.delete('TC_ACT_CONTINUE')
  numbers.set('TC_ACT_UNSPEC', verdicts.continue >>> 0)
  add('TCA_', mirredOperations, name => upper(name).replace(' ', '_').replace('REDIRECT', 'REDIR'))
  add('TCA_TUNNEL_KEY_ACT_', tunnelKeyOperations, name => (name === 'unset' ? 'RELEASE' : 'SET'))
  add('TCA_VLAN_ACT_', vlanOperations, upper)
  add('IPPROTO_', ipProtocols, upper)
  add('ETH_P_', filterProtocols, name => upper(name).replace('802.1', '8021'))
  numbers.set('TC_H_INGRESS', ingressParent)
  numbers.set('TC_H_ROOT', parseHandle('', 'root'))
  numbers.set('(TC_H_MIN_INGRESS|(TC_H_INGRESS&TC_H_MAJ_MASK))', parseHandle('', 'ingress'))
  numbers.set('(TC_H_MIN_EGRESS|(TC_H_INGRESS&TC_H_MAJ_MASK))', parseHandle('', 'egress'))
  numbers.set('GENL_ID_CTRL', GENL_ID_CTRL)
  numbers.set('GENL_HDRLEN', GENL_HDRLEN)
  numbers.set('WG_KEY_LEN', keyLength)
  addTable(xdpTable)
  for (const { name, peer } of Object.values<LinkKind>(linkKinds)) {
    if (peer !== undefined) numbers.set(peerNames[name]!, peer)
  }
  const { bond, geneve, gre, hsr, ipip, ipvlan, macsec, macvlan, netkit, sit, vlan, vxlan } = linkKinds
  for (const [name, { number, table }] of Object.entries(encapsulations)) {
    numbers.set(`LWTUNNEL_ENCAP_${name.toUpperCase()}`, number)
    addTable(table)
  }
  addTable(resilientSettings)
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
  add('IP6_TNL_F_', ipv6TunnelFlags, word => ipv6FlagNames[word as keyof typeof ipv6TunnelFlags])
  const { encapsulation, encapsulationFlags } = gre.settings.fields
  words('TUNNEL_ENCAP_', encapsulation)
  words('TUNNEL_ENCAP_FLAG_', encapsulationFlags, {
    checksum: 'CSUM',
    checksum6: 'CSUM6',
    remoteChecksum: 'REMCSUM',
  })
  words('IPPROTO_', ipip.settings.fields.protocol, { any: 'IP', ipv4: 'IPIP' })
  words('SIT_', sit.settings.fields.flags)
  words('MACSEC_VALIDATE_', macsec.settings.fields.validation)
  words('MACSEC_OFFLOAD_', macsec.settings.fields.offload)
  words('NETKIT_', netkit.settings.fields.policy, { forward: 'PASS', blackhole: 'DROP' })
  words('NETKIT_SCRUB_', netkit.settings.fields.scrub)
  words('NETKIT_', netkit.settings.fields.mode)
  words('NETKIT_DEVICE_', netkit.settings.fields.pairing)
  words('HSR_PROTOCOL_', hsr.settings.fields.protocol)
  // On the wire in network byte order, and so in the header.
  for (const [name, value] of Object.entries(greFlags)) {
    const kernelName = `GRE_${name === 'checksum' ? 'CSUM' : name === 'sequence' ? 'SEQ' : 'KEY'}`
    numbers.set(`__be16_to_cpu(${kernelName})`, value)
  }
  // By number, not by bit.
  for (const [name, bit] of Object.entries(bridgeOptions)) {
    numbers.set(`(1 << BR_BOOLOPT_${bridgeOptionNames[name as keyof typeof bridgeOptions]})`, bit)
  }
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
          ...names.map(name => `printf("${name}\\t%lld\\n", (long long)(unsigned)(${name}));`),
          'return 0; }',
        ].join('\n')
        const compiled = spawnSync('cc', ['-x', 'c', '-o', program, '-'], { input: source, encoding: 'utf8' })
        if (compiled.status === 0) break
        const unknown = new Set(
          [...compiled.stderr.matchAll(/['‘](\w+)['’] undeclared/g)].map(match => match[1]!),
        )
        if (unknown.size === 0) throw new Error(compiled.stderr)
        missing.push(...unknown)
        names = names.filter(name => !name.match(/\w+/g)?.some(word => unknown.has(word)))
      }
      t.ok(missing.length < ours.size / 10, `not in these headers: ${missing.join(', ') || 'nothing'}`)
      for (const line of execFileSync(program, { encoding: 'utf8' }).trim().split('\n')) {
        const [name, value] = line.split('\t')
        t.equal(ours.get(name!)! >>> 0, Number(value) >>> 0, name!)
      }
      t.comment(`not in these headers: ${missing.join(', ') || 'nothing'}`)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
}
