/** EtherTypes that Netloom knows by name (https://www.iana.org/assignments/ieee-802-numbers). */
export const etherTypes = {
  ipv4: 0x0800,
  arp: 0x0806,
  /** A whole Ethernet frame, in GRE and Geneve. */
  ethernet: 0x6558,
  /** 802.1Q customer tag. */
  vlan: 0x8100,
  ipv6: 0x86dd,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoeDiscovery: 0x8863,
  pppoeSession: 0x8864,
  eapol: 0x888e,
  /** 802.1ad service tag. */
  serviceVlan: 0x88a8,
  lldp: 0x88cc,
  macsec: 0x88e5,
  ptp: 0x88f7,
} as const
