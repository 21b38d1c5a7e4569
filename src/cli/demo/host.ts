import {
  arpOperations,
  type DecodedFrame,
  decode,
  encode,
  icmpTypes,
  icmpv6Types,
} from '../../frames/index.js'

/** A host that lives in this file: what it is called, at the other end of a TAP. */
export interface Host {
  macAddress: string
  ipv4: string
  ipv6: string
}

/** What the host answers to a frame: ARP, neighbor solicitation, ping and UDP to port 7 (echo, RFC 862). */
export function answer(host: Host, frame: Uint8Array): Uint8Array | undefined {
  const got = decode(frame)
  const { ethernet, arp, ipv4, ipv6 } = got
  if (!ethernet) return undefined
  const back = { source: host.macAddress, destination: ethernet.source }
  if (arp) {
    if (arp.operation !== arpOperations.request || arp.targetIpAddress !== host.ipv4) return undefined
    return encode({
      ethernet: back,
      arp: {
        operation: arpOperations.reply,
        senderMacAddress: host.macAddress,
        senderIpAddress: host.ipv4,
        targetMacAddress: arp.senderMacAddress,
        targetIpAddress: arp.senderIpAddress,
      },
    })
  }
  if (got.neighborDiscovery?.type === icmpv6Types.neighborSolicitation && ipv6) {
    if (got.neighborDiscovery.target !== host.ipv6) return undefined
    return encode({
      ethernet: back,
      ipv6: { source: host.ipv6, destination: ipv6.source, hopLimit: 255 },
      neighborDiscovery: {
        type: icmpv6Types.neighborAdvertisement,
        router: false,
        solicited: true,
        override: true,
        target: host.ipv6,
        options: [{ kind: 'target', macAddress: host.macAddress }],
      },
    })
  }
  const upper = answerUpper(got)
  if (!upper) return undefined
  if (ipv4?.destination === host.ipv4) {
    return encode({ ethernet: back, ipv4: { source: host.ipv4, destination: ipv4.source }, ...upper })
  }
  if (ipv6?.destination === host.ipv6) {
    return encode({ ethernet: back, ipv6: { source: host.ipv6, destination: ipv6.source }, ...upper })
  }
  return undefined
}

/** The answer above IP, whichever version carries it. */
function answerUpper({ icmp, icmpv6, udp, payload }: DecodedFrame) {
  if (icmp?.type === icmpTypes.echoRequest)
    return { icmp: { ...icmp, type: icmpTypes.echoReply, checksum: undefined }, payload }
  if (icmpv6?.type === icmpv6Types.echoRequest) {
    return { icmpv6: { ...icmpv6, type: icmpv6Types.echoReply, checksum: undefined }, payload }
  }
  if (udp?.destinationPort === 7) return { udp: { sourcePort: 7, destinationPort: udp.sourcePort }, payload }
  return undefined
}
