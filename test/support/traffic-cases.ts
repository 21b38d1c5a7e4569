import type { FilterOptions, QdiscOptions } from '../../src/netlink/index.js'

/** Qdiscs as options of ours, and as `tc qdisc add` is told. */
export const qdiscs: [options: Omit<QdiscOptions, 'link'>, tc: string][] = [
  [{ kind: 'pfifo', handle: '1:', pfifo: { limit: 77 } }, 'root handle 1: pfifo limit 77'],
  [{ kind: 'bfifo', handle: '1:', bfifo: { limit: 7700 } }, 'root handle 1: bfifo limit 7700'],
  [
    { kind: 'tbf', handle: '2:', tbf: { rate: { bitsPerSecond: 1_000_000 }, burst: 5000, limit: 20_000 } },
    'root handle 2: tbf rate 1mbit burst 5000 limit 20000',
  ],
  [
    {
      kind: 'tbf',
      handle: '2:',
      tbf: {
        rate: { bytesPerSecond: 125_000n },
        burst: 6000,
        limit: 30_000,
        peakRate: { bitsPerSecond: 2_000_000n },
        peakBurst: 1600,
        overhead: 4,
        minPacketBytes: 64,
      },
    },
    'root handle 2: tbf rate 1mbit burst 6000 limit 30000 peakrate 2mbit mtu 1600 overhead 4 mpu 64',
  ],
  [
    {
      kind: 'tbf',
      handle: '2:',
      tbf: { rate: { bitsPerSecond: 80_000_000_000 }, burst: 100_000, limit: 200_000 },
    },
    'root handle 2: tbf rate 80gbit burst 100000 limit 200000',
  ],
  [
    { kind: 'htb', handle: 'abc:', htb: { defaultClass: 0x10, rateToQuantum: 5, directQueueLength: 9 } },
    'root handle abc: htb default 10 r2q 5 direct_qlen 9',
  ],
  [{ kind: 'htb', htb: {}, handle: '1:' }, 'root handle 1: htb'],
  [{ kind: 'ingress' }, 'ingress'],
  [{ kind: 'clsact' }, 'clsact'],
  [
    {
      kind: 'prio',
      handle: '1:',
      prio: { bands: 4, priorities: [3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0] },
    },
    'root handle 1: prio bands 4 priomap 3 2 1 0 3 2 1 0 3 2 1 0 3 2 1 0',
  ],
  [{ kind: 'prio', handle: '1:', prio: {} }, 'root handle 1: prio'],
  [{ kind: 'mq', handle: '1:' }, 'root handle 1: mq'],
  [
    {
      kind: 'sfq',
      handle: '1:',
      sfq: {
        quantum: 3000,
        perturbSeconds: 9,
        limit: 100,
        divisor: 512,
        flows: 50,
        depth: 20,
        headDrop: true,
      },
    },
    'root handle 1: sfq quantum 3000 perturb 9 limit 100 divisor 512 flows 50 depth 20 headdrop',
  ],
  [
    {
      kind: 'fq_codel',
      handle: '1:',
      fq_codel: {
        targetUs: 4000,
        limit: 999,
        intervalUs: 90_000,
        ecn: false,
        flows: 512,
        quantum: 300,
        markThresholdUs: 2000,
        dropBatch: 32,
        memoryLimit: 1_000_000,
      },
    },
    'root handle 1: fq_codel target 4ms limit 999 interval 90ms noecn flows 512 quantum 300 ce_threshold 2ms drop_batch 32 memory_limit 1000000',
  ],
  [
    {
      kind: 'fq',
      handle: '1:',
      fq: {
        limit: 5000,
        flowLimit: 50,
        quantum: 3000,
        initialQuantum: 9000,
        pacing: false,
        flowMaxRate: { bitsPerSecond: 8_000_000 },
        refillDelayUs: 20_000,
        orphanMask: 255,
        markThresholdUs: 3000,
        horizonUs: 5_000_000,
        horizonDrop: false,
      },
    },
    'root handle 1: fq limit 5000 flow_limit 50 quantum 3000 initial_quantum 9000 nopacing maxrate 8mbit refill_delay 20ms orphan_mask 255 ce_threshold 3ms horizon 5s horizon_cap',
  ],
  [{ kind: 'netem', handle: '1:', netem: { delayUs: 100_000 } }, 'root handle 1: netem delay 100ms'],
  [
    {
      kind: 'netem',
      handle: '1:',
      netem: {
        limit: 500,
        delayUs: 10_000,
        jitterUs: 2000,
        delayCorrelationPercent: 25,
        lossPercent: 1.5,
        lossCorrelationPercent: 30,
        duplicatePercent: 2,
        duplicateCorrelationPercent: 10,
        corruptPercent: 3,
        corruptCorrelationPercent: 5,
        reorderPercent: 25,
        reorderCorrelationPercent: 50,
        reorderGap: 5,
        rate: { bitsPerSecond: 1_000_000 },
        packetOverhead: 20,
        cellBytes: 100,
        cellOverhead: 5,
        ecn: true,
      },
    },
    'root handle 1: netem limit 500 delay 10ms 2ms 25% loss 1.5% 30% ecn duplicate 2% 10% corrupt 3% 5% reorder 25% 50% gap 5 rate 1mbit 20 100 5',
  ],
  [
    {
      kind: 'netem',
      handle: '1:',
      netem: {
        lossModel: {
          kind: 'gilbert-elliott',
          goodToBadPercent: 1,
          badToGoodPercent: 10,
          lossInBadPercent: 70,
          lossInGoodPercent: 0.1,
        },
      },
    },
    'root handle 1: netem loss gemodel 1% 10% 70% 0.1%',
  ],
  [
    {
      kind: 'netem',
      handle: '1:',
      netem: {
        lossModel: {
          kind: 'states',
          p13Percent: 1,
          p31Percent: 50,
          p32Percent: 20,
          p23Percent: 30,
          p14Percent: 2,
        },
      },
    },
    'root handle 1: netem loss state 1% 50% 20% 30% 2%',
  ],
  [
    {
      kind: 'netem',
      handle: '1:',
      netem: {
        rate: { bitsPerSecond: 80_000_000_000n },
        slot: { minDelayUs: 800, maxDelayUs: 1000, maxPackets: 5, maxBytes: 9000 },
      },
    },
    'root handle 1: netem rate 80gbit slot 800us 1ms packets 5 bytes 9000',
  ],
]

const mac = '02:00:00:00:00:09'
/** The same of filters and their actions. */
export const filters: [options: Omit<FilterOptions, 'link' | 'parent'>, tc: string][] = [
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: { class: '1:10', actions: [{ kind: 'gact', verdict: 'drop' }] },
    },
    'prio 7 matchall classid 1:10 action drop',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: {
        actions: [
          { kind: 'gact', verdict: 'pipe' },
          { kind: 'gact', verdict: 'pass' },
        ],
      },
    },
    'prio 7 matchall action pipe action pass',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      protocol: 'ip',
      matchall: { actions: [{ kind: 'mirred', operation: 'redirect', to: 'v1' }] },
    },
    'protocol ip prio 7 matchall action mirred egress redirect dev v1',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: { actions: [{ kind: 'mirred', operation: 'mirror', to: 'v1', direction: 'ingress' }] },
    },
    'prio 7 matchall action mirred ingress mirror dev v1',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: {
        actions: [
          { kind: 'vlan', operation: 'push', id: 99, protocol: '802.1ad', priority: 5 },
          { kind: 'vlan', operation: 'pop' },
          { kind: 'vlan', operation: 'modify', id: 5 },
        ],
      },
    },
    'prio 7 matchall action vlan push id 99 protocol 802.1ad priority 5 action vlan pop action vlan modify id 5',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: {
        actions: [
          {
            kind: 'tunnel_key',
            operation: 'set',
            source: '10.0.0.1',
            destination: '10.0.0.2',
            id: 77,
            destinationPort: 4789,
            tos: 4,
            ttl: 9,
            noChecksum: 1,
          },
          { kind: 'tunnel_key', operation: 'unset' },
        ],
      },
    },
    'prio 7 matchall action tunnel_key set src_ip 10.0.0.1 dst_ip 10.0.0.2 id 77 dst_port 4789 tos 4 ttl 9 nocsum action tunnel_key unset',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: { actions: [{ kind: 'skbedit', priority: 0x1_0010, queue: 1, mark: 9, markMask: 15 }] },
    },
    'prio 7 matchall action skbedit priority 1:10 queue_mapping 1 mark 9/15',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: {
        actions: [
          { kind: 'police', rate: { bytesPerSecond: 125_000n }, burst: 10_000, mtu: 2000, verdict: 'drop' },
        ],
      },
    },
    'prio 7 matchall action police rate 1mbit burst 10000 mtu 2000 drop',
  ],
  [
    { kind: 'fw', priority: 3, handle: 6, protocol: 'ip', fw: { class: '1:10', mask: 0xff } },
    'protocol ip prio 3 handle 6/255 fw classid 1:10',
  ],
  [
    {
      kind: 'u32',
      priority: 5,
      protocol: 'ip',
      u32: {
        class: '1:10',
        matches: [
          { value: 0x0a000000, mask: 0xff000000, offset: 12 },
          { value: 0x0050, mask: 0xffff, offset: 20 },
        ],
      },
    },
    'protocol ip prio 5 u32 match u32 0x0a000000 0xff000000 at 12 match u32 0x0050 0xffff at 20 classid 1:10',
  ],
  [
    {
      kind: 'bpf',
      priority: 5,
      bpf: { class: '1:10', program: Uint8Array.from([6, 0, 0, 0, 0xff, 0xff, 0, 0]) },
    },
    'prio 5 bpf classid 1:10 bytecode 1,6§0§0§65535',
  ],
  [
    {
      kind: 'flower',
      priority: 5,
      protocol: 'ip',
      flower: {
        class: '1:10',
        sourceMac: mac,
        destinationMac: '02:00:00:00:00:00/ff:00:00:00:00:00',
        ipProtocol: 'tcp',
        source: '10.0.0.0/8',
        destination: '10.0.0.9',
        sourcePort: 80,
        destinationPort: 443,
        tos: 4,
        ttl: 9,
        tcpFlags: 2,
      },
    },
    `protocol ip prio 5 flower classid 1:10 src_mac ${mac} dst_mac 02:00:00:00:00:00/ff:00:00:00:00:00 ip_proto tcp src_ip 10.0.0.0/8 dst_ip 10.0.0.9 src_port 80 dst_port 443 ip_tos 4 ip_ttl 9 tcp_flags 2`,
  ],
  [
    {
      kind: 'flower',
      priority: 5,
      protocol: 'ipv6',
      chain: 4,
      flower: {
        ipProtocol: 'icmpv6',
        source: 'fd00::/20',
        icmpType: 128,
        icmpCode: 0,
        actions: [{ kind: 'gact', verdict: 'drop' }],
      },
    },
    'protocol ipv6 prio 5 chain 4 flower ip_proto icmpv6 src_ip fd00::/20 type 128 code 0 action drop',
  ],
  [
    {
      kind: 'flower',
      priority: 5,
      protocol: '802.1q',
      flower: { vlanId: 7, vlanPriority: 3, vlanEtherType: 0x800 },
    },
    'protocol 802.1q prio 5 flower vlan_id 7 vlan_prio 3 vlan_ethtype ip',
  ],
  [
    {
      kind: 'flower',
      priority: 5,
      protocol: 'ip',
      flower: {
        tunnelId: 9,
        tunnelSource: '10.0.0.1',
        tunnelDestination: '10.0.0.0/24',
        tunnelDestinationPort: 4789,
        ipProtocol: 'udp',
        destinationPort: 53,
      },
    },
    'protocol ip prio 5 flower enc_key_id 9 enc_src_ip 10.0.0.1 enc_dst_ip 10.0.0.0/24 enc_dst_port 4789 ip_proto udp dst_port 53',
  ],
]
