/** Protocol numbers of IP by the names that `proto` takes (IANA, as in /etc/protocols). */
export const ipProtocolNames: Readonly<Record<string, number>> = {
  ip: 0,
  hopopt: 0,
  icmp: 1,
  igmp: 2,
  ggp: 3,
  ipencap: 4,
  st: 5,
  tcp: 6,
  egp: 8,
  igp: 9,
  pup: 12,
  udp: 17,
  hmp: 20,
  'xns-idp': 22,
  rdp: 27,
  'iso-tp4': 29,
  dccp: 33,
  xtp: 36,
  ddp: 37,
  'idpr-cmtp': 38,
  ipv6: 41,
  'ipv6-route': 43,
  'ipv6-frag': 44,
  idrp: 45,
  rsvp: 46,
  gre: 47,
  esp: 50,
  ah: 51,
  skip: 57,
  'ipv6-icmp': 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  rspf: 73,
  vmtp: 81,
  eigrp: 88,
  ospf: 89,
  'ax.25': 93,
  ipip: 94,
  etherip: 97,
  encap: 98,
  pim: 103,
  ipcomp: 108,
  vrrp: 112,
  l2tp: 115,
  isis: 124,
  sctp: 132,
  fc: 133,
  'mobility-header': 135,
  udplite: 136,
  'mpls-in-ip': 137,
  hip: 139,
}

/** EtherTypes, and below 1501 service access points of LLC, by the names that `ether proto` takes. */
export const etherProtocolNames: Readonly<Record<string, number>> = {
  ip: 0x0800,
  arp: 0x0806,
  rarp: 0x8035,
  ip6: 0x86dd,
  aarp: 0x80f3,
  atalk: 0x809b,
  decnet: 0x6003,
  lat: 0x6004,
  loopback: 0x9000,
  mopdl: 0x6001,
  moprc: 0x6002,
  sca: 0x6007,
  iso: 0xfe,
  stp: 0x42,
  ipx: 0xe0,
  netbeui: 0xf0,
}

/** Names that stand for a number in expressions: offsets, types and flags of ICMP, ICMPv6 and TCP. */
export const constantNames: Readonly<Record<string, number>> = {
  icmptype: 0,
  icmpcode: 1,
  'icmp-echoreply': 0,
  'icmp-unreach': 3,
  'icmp-sourcequench': 4,
  'icmp-redirect': 5,
  'icmp-echo': 8,
  'icmp-routeradvert': 9,
  'icmp-routersolicit': 10,
  'icmp-timxceed': 11,
  'icmp-paramprob': 12,
  'icmp-tstamp': 13,
  'icmp-tstampreply': 14,
  'icmp-ireq': 15,
  'icmp-ireqreply': 16,
  'icmp-maskreq': 17,
  'icmp-maskreply': 18,
  icmp6type: 0,
  icmp6code: 1,
  'icmp6-destinationunreach': 1,
  'icmp6-packettoobig': 2,
  'icmp6-timeexceeded': 3,
  'icmp6-parameterproblem': 4,
  'icmp6-echo': 128,
  'icmp6-echoreply': 129,
  'icmp6-multicastlistenerquery': 130,
  'icmp6-multicastlistenerreportv1': 131,
  'icmp6-multicastlistenerdone': 132,
  'icmp6-routersolicit': 133,
  'icmp6-routeradvert': 134,
  'icmp6-neighborsolicit': 135,
  'icmp6-neighboradvert': 136,
  'icmp6-redirect': 137,
  'icmp6-routerrenum': 138,
  'icmp6-nodeinformationquery': 139,
  'icmp6-nodeinformationresponse': 140,
  'icmp6-ineighbordiscoverysolicit': 141,
  'icmp6-ineighbordiscoveryadvert': 142,
  'icmp6-multicastlistenerreportv2': 143,
  'icmp6-homeagentdiscoveryrequest': 144,
  'icmp6-homeagentdiscoveryreply': 145,
  'icmp6-mobileprefixsolicit': 146,
  'icmp6-mobileprefixadvert': 147,
  'icmp6-certpathsolicit': 148,
  'icmp6-certpathadvert': 149,
  'icmp6-multicastrouteradvert': 151,
  'icmp6-multicastroutersolicit': 152,
  'icmp6-multicastrouterterm': 153,
  tcpflags: 13,
  'tcp-fin': 0x01,
  'tcp-syn': 0x02,
  'tcp-rst': 0x04,
  'tcp-push': 0x08,
  'tcp-ack': 0x10,
  'tcp-urg': 0x20,
  'tcp-ece': 0x40,
  'tcp-cwr': 0x80,
}

/** A port and the transports that it is registered for. */
export interface Service {
  port: number
  protocols: readonly ('tcp' | 'udp' | 'sctp')[]
}

const tcp = ['tcp'] as const
const udp = ['udp'] as const
const both = ['tcp', 'udp'] as const

function services(table: readonly [string, number, Service['protocols']][]): Record<string, Service> {
  return Object.fromEntries(table.map(([name, port, protocols]) => [name, { port, protocols }]))
}

/** The services that people name in filters (IANA; transports as in Debian's /etc/services). */
export const serviceNames: Readonly<Record<string, Service>> = services([
  ['echo', 7, both],
  ['discard', 9, both],
  ['daytime', 13, both],
  ['chargen', 19, both],
  ['ftp-data', 20, tcp],
  ['ftp', 21, tcp],
  ['ssh', 22, tcp],
  ['telnet', 23, tcp],
  ['smtp', 25, tcp],
  ['time', 37, both],
  ['whois', 43, tcp],
  ['tacacs', 49, both],
  ['domain', 53, both],
  ['bootps', 67, udp],
  ['bootpc', 68, udp],
  ['tftp', 69, udp],
  ['gopher', 70, tcp],
  ['finger', 79, tcp],
  ['http', 80, tcp],
  ['kerberos', 88, both],
  ['pop3', 110, tcp],
  ['sunrpc', 111, both],
  ['auth', 113, tcp],
  ['nntp', 119, tcp],
  ['ntp', 123, udp],
  ['netbios-ns', 137, udp],
  ['netbios-dgm', 138, udp],
  ['netbios-ssn', 139, tcp],
  ['imap2', 143, tcp],
  ['snmp', 161, both],
  ['snmp-trap', 162, both],
  ['bgp', 179, tcp],
  ['ptp-event', 319, udp],
  ['ptp-general', 320, udp],
  ['ldap', 389, both],
  ['svrloc', 427, both],
  ['https', 443, both],
  ['microsoft-ds', 445, tcp],
  ['kpasswd', 464, both],
  ['submissions', 465, tcp],
  ['isakmp', 500, udp],
  ['syslog', 514, udp],
  ['printer', 515, tcp],
  ['route', 520, udp],
  ['dhcpv6-client', 546, udp],
  ['dhcpv6-server', 547, udp],
  ['rtsp', 554, both],
  ['submission', 587, tcp],
  ['ipp', 631, tcp],
  ['ldaps', 636, both],
  ['ldp', 646, both],
  ['domain-s', 853, both],
  ['rsync', 873, tcp],
  ['ftps', 990, tcp],
  ['imaps', 993, tcp],
  ['pop3s', 995, tcp],
  ['socks', 1080, tcp],
  ['openvpn', 1194, both],
  ['ms-sql-s', 1433, tcp],
  ['l2f', 1701, udp],
  ['radius', 1812, both],
  ['radius-acct', 1813, both],
  ['nfs', 2049, both],
  ['iscsi-target', 3260, tcp],
  ['mysql', 3306, tcp],
  ['ms-wbt-server', 3389, tcp],
  ['svn', 3690, tcp],
  ['ipsec-nat-t', 4500, udp],
  ['sip', 5060, both],
  ['sip-tls', 5061, both],
  ['xmpp-client', 5222, tcp],
  ['mdns', 5353, udp],
  ['postgresql', 5432, tcp],
  ['amqps', 5671, tcp],
  ['redis', 6379, tcp],
  ['http-alt', 8080, tcp],
  ['git', 9418, tcp],
])

/** The word of `candidates` that is nearest to `word` by edits, if one is near enough to be meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.min(2, Math.floor(word.length / 2)) + 1
  if (word.length > 32) return undefined
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue
    const edits = distance(word, candidate)
    if (edits < least) [best, least] = [candidate, edits]
  }
  return best
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
