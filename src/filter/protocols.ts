import { and, type Condition, or } from './condition.js'
import { type Position, Unsupported } from './position.js'

/** What the name of a protocol stands for: the IP versions that carry it and its number there, or its EtherType. */
const protocols: Readonly<Record<string, { over: 'ip' | 'ip6' | 'both' | 'link'; number: number }>> = {
  ip: { over: 'link', number: 0x0800 },
  ip6: { over: 'link', number: 0x86dd },
  arp: { over: 'link', number: 0x0806 },
  rarp: { over: 'link', number: 0x8035 },
  atalk: { over: 'link', number: 0x809b },
  aarp: { over: 'link', number: 0x80f3 },
  decnet: { over: 'link', number: 0x6003 },
  lat: { over: 'link', number: 0x6004 },
  sca: { over: 'link', number: 0x6007 },
  moprc: { over: 'link', number: 0x6002 },
  mopdl: { over: 'link', number: 0x6001 },
  iso: { over: 'link', number: 0xfe },
  stp: { over: 'link', number: 0x42 },
  ipx: { over: 'link', number: 0xe0 },
  netbeui: { over: 'link', number: 0xf0 },
  tcp: { over: 'both', number: 6 },
  udp: { over: 'both', number: 17 },
  sctp: { over: 'both', number: 132 },
  ah: { over: 'both', number: 51 },
  esp: { over: 'both', number: 50 },
  pim: { over: 'both', number: 103 },
  icmp: { over: 'ip', number: 1 },
  igmp: { over: 'ip', number: 2 },
  igrp: { over: 'ip', number: 9 },
  vrrp: { over: 'ip', number: 112 },
  carp: { over: 'ip', number: 112 },
  icmp6: { over: 'ip6', number: 58 },
}

/** A protocol by its name alone: `tcp`. */
export function protocolNamed(position: Position, name: string): Condition {
  const protocol = protocols[name]
  if (protocol === undefined) throw new Unsupported(`\`${name}\` alone says nothing about a packet`)
  if (protocol.over === 'link') return position.protocol(protocol.number)
  return ipProtocol(position, protocol.number, protocol.over)
}

/** That IP carries the protocol; in IPv6 also behind a fragment header, the only one that is looked past. */
export function ipProtocol(position: Position, number: number, over: 'ip' | 'ip6' | 'both'): Condition {
  if (over === 'both') return or(ipProtocol(position, number, 'ip'), ipProtocol(position, number, 'ip6'))
  const { network } = position
  if (over === 'ip') return and(position.ip, position.equals(position.load(1, network, 9), number))
  const next = position.load(1, network, 6)
  return and(
    position.ip6,
    or(
      position.equals(next, number),
      and(position.equals(next, 44), position.equals(position.load(1, network, 40), number)),
    ),
  )
}

/** `proto`, after the name of the layer that it is a field of. */
export function protocolField(position: Position, layer: string | undefined, number: number): Condition {
  switch (layer) {
    case undefined:
      return ipProtocol(position, number, 'both')
    case 'ip':
    case 'ip6':
      return ipProtocol(position, number, layer)
    case 'ether':
      return position.protocol(number)
    default:
      throw new Unsupported(`\`${layer} proto\` means nothing`, 'use ether proto, ip proto or ip6 proto')
  }
}

/** The number of a transport protocol that is one. */
export function transportNumber(name: string): number {
  return protocols[name]!.number
}
