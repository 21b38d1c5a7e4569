import type { Link } from '../../src/netlink/index.js'

type Json = Record<string, unknown>

/** Names of links by index: iproute2 prints names. */
type Names = ReadonlyMap<number, string>

const on = (value: boolean | undefined) => (value ? true : undefined)
const ofMs = (value: number | undefined) => (value === undefined ? undefined : value / 10)
const number = (value: boolean | undefined) => (value === undefined ? undefined : Number(value))
const hex = (value: number | undefined) => (value === undefined ? undefined : `0x${value.toString(16)}`)
const upper = (word: string | undefined) => word?.replaceAll('-', '').toUpperCase()

/** Bridge ids: two bytes of priority, then a MAC address. */
function bridgeId(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes) return undefined
  const priority = ((bytes[0]! << 8) | bytes[1]!).toString(16).padStart(4, '0')
  return `${priority}.${[...bytes.subarray(2)].map(byte => byte.toString(16)).join(':')}`
}

const settings: Record<string, (link: Link, names: Names) => Json> = {
  bridge: ({ bridge: b = {} }) => ({
    forward_delay: ofMs(b.forwardDelayMs),
    hello_time: ofMs(b.helloTimeMs),
    max_age: ofMs(b.maxAgeMs),
    ageing_time: ofMs(b.ageingTimeMs),
    stp_state: b.stpState,
    priority: b.priority,
    vlan_filtering: number(b.vlanFiltering),
    vlan_protocol:
      b.vlanProtocol === undefined ? undefined : b.vlanProtocol === 0x8100 ? '802.1Q' : '802.1ad',
    bridge_id: bridgeId(b.bridgeId),
    root_id: bridgeId(b.rootId),
    root_port: b.rootPort,
    root_path_cost: b.rootPathCost,
    topology_change: b.topologyChange,
    topology_change_detected: b.topologyChangeDetected,
    group_fwd_mask: b.groupForwardMask === 0 ? '0' : hex(b.groupForwardMask),
    group_addr: b.groupAddress,
    mcast_snooping: number(b.multicastSnooping),
    no_linklocal_learn: number(b.options?.noLinkLocalLearning),
    mcast_vlan_snooping: number(b.options?.multicastVlanSnooping),
    mst_enabled: number(b.options?.multipleSpanningTrees),
    mdb_offload_fail_notification: number(b.options?.mdbOffloadFailNotification),
    fdb_local_vlan_0: number(b.options?.localVlan0),
    fdb_n_learned: b.learnedAddresses,
    fdb_max_learned: b.maxLearnedAddresses,
    mcast_router: b.multicastRouter,
    mcast_query_use_ifaddr: number(b.multicastQueryUseIfaddr),
    mcast_querier: number(b.multicastQuerier),
    mcast_hash_elasticity: b.multicastHashElasticity,
    mcast_hash_max: b.multicastHashMax,
    mcast_last_member_cnt: b.multicastLastMemberCount,
    mcast_startup_query_cnt: b.multicastStartupQueryCount,
    mcast_last_member_intvl: ofMs(b.multicastLastMemberIntervalMs),
    mcast_membership_intvl: ofMs(b.multicastMembershipIntervalMs),
    mcast_querier_intvl: ofMs(b.multicastQuerierIntervalMs),
    mcast_query_intvl: ofMs(b.multicastQueryIntervalMs),
    mcast_query_response_intvl: ofMs(b.multicastQueryResponseIntervalMs),
    mcast_startup_query_intvl: ofMs(b.multicastStartupQueryIntervalMs),
    mcast_stats_enabled: number(b.multicastStatsEnabled),
    mcast_igmp_version: b.igmpVersion,
    mcast_mld_version: b.mldVersion,
    nf_call_iptables: number(b.nfCallIptables),
    nf_call_ip6tables: number(b.nfCallIp6tables),
    nf_call_arptables: number(b.nfCallArptables),
    vlan_default_pvid: b.vlanDefaultPvid,
    vlan_stats_enabled: number(b.vlanStatsEnabled),
    vlan_stats_per_port: number(b.vlanStatsPerPort),
  }),
  vxlan: ({ vxlan: v = {} }, names) => {
    const address = (value: string | undefined, name: string): Json =>
      value === undefined ? {} : { [value.includes(':') ? `${name}6` : name]: value }
    const group = v.remote !== undefined && /^(22[4-9]|23\d|ff)/.test(v.remote)
    return {
      external: on(v.collectMetadata),
      id: v.id,
      ...address(v.remote, group ? 'group' : 'remote'),
      ...address(v.local, 'local'),
      link: v.link === undefined ? undefined : names.get(v.link),
      port_range: v.portRange,
      port: v.port,
      learning: v.learning,
      proxy: on(v.proxy),
      rsc: on(v.rsc),
      l2miss: on(v.l2miss),
      l3miss: on(v.l3miss),
      tos: v.tos === 0 ? undefined : hex(v.tos),
      // Told in text only.
      ttl: v.ttlInherit ? undefined : v.ttl,
      df: v.dontFragment,
      label: v.flowLabel === 0 ? undefined : hex(v.flowLabel),
      ageing: v.ageingTimeSeconds === 0 ? undefined : v.ageingTimeSeconds,
      limit: v.limit === 0 ? undefined : v.limit,
      udp_csum: v.udpChecksum,
      udp_zero_csum6_tx: v.udpZeroChecksum6Tx,
      udp_zero_csum6_rx: v.udpZeroChecksum6Rx,
      remcsum_tx: on(v.remoteChecksumTx),
      remcsum_rx: on(v.remoteChecksumRx),
      gbp: on(v.groupPolicy),
      gpe: on(v.genericProtocol),
      vnifilter: on(v.vniFilter),
      localbypass: v.localBypass,
    }
  },
  tun: ({ tun: d = {} }) => ({
    type: d.type,
    pi: d.packetInformation,
    vnet_hdr: d.vnetHeader,
    multi_queue: d.multiQueue,
    persist: d.persist,
    numqueues: d.multiQueue ? d.queues : undefined,
    numdisabled: d.multiQueue ? d.disabledQueues : undefined,
  }),
  macvlan: ({ macvlan }) => macvlanSettings(macvlan),
  macvtap: ({ macvtap }) => macvlanSettings(macvtap),
}

function macvlanSettings(m: Link['macvlan'] = {}): Json {
  return {
    mode: m.mode,
    nopromisc: on(m.flags?.noPromiscuous),
    nodst: on(m.flags?.noDestination),
    bcqueuelen: m.broadcastQueueLength,
    usedbcqueuelen: m.broadcastQueueLengthUsed,
    macaddr_count: m.mode === 'source' ? m.sourceAddressCount : undefined,
    bccutoff: m.broadcastCutoff,
    macaddr_data: m.sourceAddresses,
  }
}

function bridgePort({ bridgePort: p = {} }: Link, names: Names): Json {
  return {
    state: p.state,
    priority: p.priority,
    cost: p.cost,
    hairpin: p.hairpin,
    guard: p.guard,
    root_block: p.rootBlock,
    fastleave: p.fastLeave,
    learning: p.learning,
    flood: p.flood,
    id: hex(p.id),
    no: hex(p.number),
    designated_port: p.designatedPort,
    designated_cost: p.designatedCost,
    bridge_id: bridgeId(p.bridgeId),
    root_id: bridgeId(p.rootId),
    topology_change_ack: number(p.topologyChangeAck),
    config_pending: number(p.configPending),
    proxy_arp: p.proxyArp,
    proxy_arp_wifi: p.proxyArpWifi,
    multicast_router: p.multicastRouter,
    mcast_flood: p.multicastFlood,
    bcast_flood: p.broadcastFlood,
    mcast_to_unicast: p.multicastToUnicast,
    neigh_suppress: p.neighborSuppression,
    group_fwd_mask: p.groupForwardMask === 0 ? '0' : hex(p.groupForwardMask),
    vlan_tunnel: p.vlanTunnel,
    isolated: p.isolated,
    locked: p.locked,
    mab: p.macAuthenticationBypass,
    mcast_n_groups: p.multicastGroups,
    mcast_max_groups: p.multicastMaxGroups,
    neigh_vlan_suppress: p.neighborVlanSuppression,
    backup_port: p.backupPort ? names.get(p.backupPort) : undefined,
  }
}

const hardwareTypes: Record<number, string> = { 1: 'ether', 772: 'loopback', 65534: 'none' }

/** A link of ours as `ip -j -d link` tells of it, but for flags, which have no words of their own in a link of ours. */
export function asIproute2(link: Link, names: Names): Json {
  const info = link.kind === undefined ? {} : (settings[link.kind]?.(link, names) ?? {})
  const port = link.portKind === 'bridge' ? bridgePort(link, names) : {}
  return stripped({
    ifindex: link.index,
    ifname: link.name,
    link: link.lower === undefined || link.lowerNamespaceId !== undefined ? undefined : names.get(link.lower),
    link_index: link.lowerNamespaceId === undefined ? undefined : link.lower,
    link_netnsid: link.lowerNamespaceId,
    mtu: link.mtu,
    qdisc: link.qdisc,
    master: link.master === undefined ? undefined : names.get(link.master),
    operstate: upper(link.operState),
    linkmode: upper(link.linkMode),
    group: link.group === 0 ? 'default' : `${link.group}`,
    txqlen: link.txQueueLength,
    link_type: hardwareTypes[link.hardwareType],
    address: link.macAddress,
    broadcast: link.broadcastMacAddress,
    permaddr: link.permanentMacAddress,
    promiscuity: link.promiscuity,
    allmulti: link.allMulticity,
    min_mtu: link.minMtu ?? 0,
    max_mtu: link.maxMtu ?? 0,
    linkinfo: stripped({
      info_kind: link.kind,
      info_data: stripped(info),
      info_slave_kind: link.portKind,
      info_slave_data: stripped(port),
    }),
    inet6_addr_gen_mode: link.ipv6LinkLocal?.replace('-', '_'),
    num_tx_queues: link.txQueues,
    num_rx_queues: link.rxQueues,
    gso_max_size: link.gsoMaxSize,
    gso_max_segs: link.gsoMaxSegments,
    tso_max_size: link.tsoMaxSize,
    tso_max_segs: link.tsoMaxSegments,
    gro_max_size: link.groMaxSize,
    gso_ipv4_max_size: link.gsoIpv4MaxSize,
    gro_ipv4_max_size: link.groIpv4MaxSize,
    parentbus: link.parentBus,
    parentdev: link.parentDevice,
    ifalias: link.alias,
    altnames: link.altNames.length === 0 ? undefined : link.altNames,
    protodown: on(link.protocolDown),
    flags: flagsOf(link),
  })!
}

function flagsOf(link: Link): string[] {
  const words = {
    UP: link.up,
    LOWER_UP: link.carrier,
    LOOPBACK: link.loopback,
    POINTOPOINT: link.pointToPoint,
    PROMISC: link.promiscuous,
    ALLMULTI: link.allMulticast,
    MULTICAST: link.multicast,
    NOARP: !link.arp,
  }
  return Object.entries(words)
    .filter(([, set]) => set)
    .map(([word]) => word)
    .sort()
}

/** Without what there is not; nothing at all if nothing is left. */
function stripped(values: Json): Json | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

// Of these, a link of ours has no words; MASTER (SLAVE) and M-DOWN follow from other links.
const otherFlags = new Set(['NO-CARRIER', 'BROADCAST', 'M-DOWN', 'SLAVE', 'MASTER'])

/** What iproute2 says, without what runs and what it makes up. */
export function comparable(entry: Json): Json {
  const { flags, linkinfo, ...rest } = entry as { flags: string[]; linkinfo?: Record<string, Json> }
  for (const part of ['info_data', 'info_slave_data']) {
    for (const key of Object.keys(linkinfo?.[part] ?? {})) {
      if (key.endsWith('_timer') || key.endsWith('_mask_str')) delete linkinfo![part]![key]
    }
  }
  return stripped({ ...rest, linkinfo, flags: flags.filter(flag => !otherFlags.has(flag)).sort() })!
}

/** What iproute2 6.1 does not know yet: compared where it is told. */
const newer = new Set(
  (
    'mab mcast_n_groups mcast_max_groups neigh_vlan_suppress gso_ipv4_max_size gro_ipv4_max_size localbypass ' +
    'mst_enabled mdb_offload_fail_notification fdb_local_vlan_0 fdb_n_learned fdb_max_learned bccutoff'
  ).split(' '),
)

/** Every field in which the two differ, with its path. */
export function differencesOf(ours: unknown, theirs: unknown, path: string): string[] {
  if (isObject(ours) && isObject(theirs)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)])
    return [...keys].flatMap(key =>
      newer.has(key) && theirs[key] === undefined
        ? []
        : differencesOf(ours[key], theirs[key], `${path}.${key}`),
    )
  }
  const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)]
  return a === b ? [] : [`${path}: we say ${a}, iproute2 ${b}`]
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
