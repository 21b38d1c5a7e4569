import fc from 'fast-check'
import type { FrameCodecName, FrameLayers, LinkType } from '../../src/frames/index.js'
import { recordArbitraries } from './frame-arbitraries.js'
import { Random } from './random.js'

type Fields = Record<string, unknown>

/** What the encoder computes, and what is put inside. */
const computed = ['checksum', 'payload', 'length', 'totalLength', 'protocol', 'trailer', 'type', 'bottom']

/** How deep tunnels go. */
const deepest = 3

/**
 * Makes whole frames of all protocols: records as the codecs have them, put together as they would be on a wire. The
 * same seed makes the same frames.
 */
export class RandomFrames {
  readonly #random: Random
  readonly #records = new Map<FrameCodecName, Fields[]>()
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
    this.#random = new Random(seed)
  }

  /** A frame for a link of this type. */
  next(linkType: LinkType): FrameLayers {
    const packet = linkType === 'ethernet' ? this.#behindEthernet(0) : this.#ip(0)
    // Linux's own number of IPv6, 10, is none of those that tshark knows.
    const family = packet.ipv6 ? { family: 30 } : { family: 2 }
    switch (linkType) {
      case 'ethernet':
        return { ethernet: this.#some('ethernet', 'destination', 'source') as never, ...packet }
      case 'linux-sll':
      case 'linux-sll2': {
        const { addressLength, ...record } = this.#record(linkType === 'linux-sll' ? 'linuxSll' : 'linuxSll2')
        void addressLength
        const cooked = { ...record, hardwareType: 1, packetType: this.#random.below(5) }
        return {
          ...(linkType === 'linux-sll' ? { linuxSll: cooked } : { linuxSll2: cooked }),
          ...packet,
        } as FrameLayers
      }
      case 'null':
        return { loopback: { littleEndian: true, ...family }, ...packet }
      case 'loop':
        return { loopback: family, ...packet }
      default:
        return packet
    }
  }

  /** VLAN tags, labels and the like, and what they hold. */
  #behindEthernet(depth: number): FrameLayers {
    const vlans = this.#list(this.#random.below(8) === 0 ? 2 : this.#random.below(2), () =>
      this.#record('vlan'),
    )
    switch (this.#random.below(8)) {
      case 0:
        return { vlans, arp: { ...this.#whole('arp'), operation: 1 + this.#random.below(2) } } as never
      case 1:
        return { vlans, lldp: this.#lldp() } as never
      case 2:
        return { vlans, stp: this.#stp() } as never
      case 3:
        return {
          vlans,
          mpls: this.#list(1 + this.#random.below(3), () => this.#label()),
          ...this.#ip(depth),
        } as never
      case 4:
        return { vlans, ...this.#pppoe(depth) } as never
      default:
        return { vlans, ...this.#ip(depth) } as never
    }
  }

  /** With the three elements first that there must be. */
  #lldp(): Fields {
    const elements = (this.#whole('lldp').elements as Fields[]).filter(
      ({ kind }) => kind !== 'chassisId' && kind !== 'portId' && kind !== 'timeToLive',
    )
    const id = Uint8Array.from(this.#payload().subarray(0, 6))
    const begin = [
      { kind: 'chassisId', subtype: 7, id: Uint8Array.of(65, ...id.map(byte => 65 + (byte % 26))) },
      { kind: 'portId', subtype: 5, id: Uint8Array.of(66, ...id.map(byte => 65 + (byte % 26))) },
      { kind: 'timeToLive', seconds: this.#random.below(65536) },
    ]
    return { elements: [...begin, ...elements] }
  }

  /** Without options that others read further than the codec does. */
  #without(name: FrameCodecName, unwanted: (option: Fields) => boolean, ...kept: string[]): Fields {
    const record = this.#record(name, ...kept)
    return { ...record, options: (record.options as Fields[]).filter(option => !unwanted(option)) }
  }

  /** Up to 15 they have meanings of their own. */
  #label(): Fields {
    const record = this.#record('mpls')
    return { ...record, label: Math.max(16, record.label as number) }
  }

  #stp(): Fields {
    const record: Fields = { ...this.#whole('stp'), payload: new Uint8Array() }
    return record.type === 0x80 ? { ...record, version: 0 } : { ...record, version: record.type }
  }

  #pppoe(depth: number): FrameLayers {
    const { tags, ...record } = this.#record('pppoe')
    if (tags && (tags as unknown[]).length > 0) {
      const codes = [0x09, 0x07, 0x19, 0x65, 0xa7]
      return { pppoe: { ...record, code: codes[this.#random.below(5)], tags } } as never
    }
    const { sessionId } = record
    return { pppoe: { sessionId }, ...this.#ip(depth) } as never
  }

  #ip(depth: number): FrameLayers {
    const version = this.#random.below(2) === 0 ? 4 : 6
    const { options, ...header } = this.#record(version === 4 ? 'ipv4' : 'ipv6')
    const whole = { ...header, fragmentOffset: 0, moreFragments: false }
    if (version === 4) {
      void options
      if (this.#random.below(16) === 0) {
        const payload = this.#payload()
        return {
          ipv4: { ...whole, fragmentOffset: 8 * this.#random.below(1000) + 8, protocol: 17 },
          payload,
        } as never
      }
      return { ipv4: whole, ...this.#upper(4, depth) } as never
    }
    const { extensions = [], ...rest } = header as { extensions?: { type: number }[] }
    // Options in headers would have to be well formed for others too.
    const plain = extensions.filter(({ type }) => type === 44 && this.#random.below(2) === 0).slice(0, 1)
    const atomic = plain.map(extension => ({ ...extension, fragmentOffset: 0, moreFragments: false }))
    return { ipv6: { ...rest, extensions: atomic }, ...this.#upper(6, depth) } as never
  }

  #upper(version: 4 | 6, depth: number): FrameLayers {
    const payload = this.#payload()
    const kind = this.#random.below(depth < deepest ? 16 : 8)
    switch (kind) {
      case 0:
      case 1:
        return { tcp: this.#ported('tcp'), payload } as never
      case 2:
        return { udp: this.#ported('udp'), payload } as never
      case 3:
        if (version === 4) return { igmp: this.#igmp() } as never
        return { icmpv6: {}, mld: { ...this.#record('mld', 'type'), payload: new Uint8Array() } } as never
      case 4:
        if (version === 4) return { icmp: this.#echo(8), payload } as never
        return {
          neighborDiscovery: this.#without('neighborDiscovery', ({ kind }) => kind === 'unknown', 'type'),
        } as never
      case 5:
        if (version === 4) return { icmp: this.#echo(0), payload } as never
        return { icmpv6: this.#echo(128), payload } as never
      case 6:
        if (version === 4)
          return {
            udp: this.#ports(68, 67),
            dhcpv4: this.#dhcpv4(),
          } as never
        return {
          udp: this.#ports(546, 547),
          dhcpv6: this.#without('dhcpv6', option => /relayMessage/.test(JSON.stringify(option)), 'type'),
        } as never
      case 7:
        return { udp: this.#ports(40000, 51820), wireguard: this.#whole('wireguard') } as never
      case 8:
        // Quoted as a rule with what fits only; here whole.
        if (version === 4) return { icmp: { type: 3, code: 3 }, inner: this.#quoted('ipv4') } as never
        return { icmpv6: { type: 1, code: 4 }, inner: this.#quoted('ipv6') } as never
      case 9:
      case 10:
        return { gre: this.#gre(), inner: this.#inner(depth + 1) } as never
      case 11:
      case 12:
        return {
          udp: this.#ports(49152, 4789),
          vxlan: this.#vxlan(),
          inner: this.#ethernet(depth + 1),
        } as never
      case 13:
        return {
          udp: this.#ports(49152, 6081),
          geneve: this.#geneve(),
          inner: this.#inner(depth + 1),
        } as never
      default:
        return { inner: this.#ip(depth + 1) }
    }
  }

  #igmp(): Fields {
    const record: Fields = { ...this.#record('igmp', 'type'), payload: new Uint8Array() }
    return record.type === 0x99 ? { ...record, type: 0x16 } : record
  }

  /** tshark takes multiples of 256 seconds for those of a sender with the wrong byte order. */
  #dhcpv4(): Fields {
    const record = this.#whole('dhcpv4')
    return { ...record, seconds: (record.seconds as number) & 0xff, operation: 1, hardwareType: 1 }
  }

  #echo(type: number): Fields {
    return { type, code: 0, identifier: this.#random.below(65536), sequence: this.#random.below(65536) }
  }

  #gre(): Fields {
    const { acknowledgment, checksum, protocol, payload, ...record } = this.#whole('gre')
    void protocol
    void payload
    void acknowledgment
    return { ...record, version: 0, ...(checksum !== undefined && { checksum: true }) }
  }

  #vxlan(): Fields {
    const { vni } = this.#record('vxlan')
    return { vni }
  }

  #geneve(): Fields {
    const { vni, options } = this.#record('geneve')
    return { vni, options }
  }

  /** A packet of IP, or an Ethernet frame. */
  #inner(depth: number): FrameLayers {
    return this.#random.below(2) === 0 ? this.#ip(depth) : this.#ethernet(depth)
  }

  #ethernet(depth: number): FrameLayers {
    return {
      ethernet: this.#some('ethernet', 'destination', 'source') as never,
      ...this.#behindEthernet(depth),
    }
  }

  #quoted(version: 'ipv4' | 'ipv6'): FrameLayers {
    const { source, destination } = this.#record(version)
    return { [version]: { source, destination }, udp: this.#ported('udp'), payload: this.#payload() } as never
  }

  #ports(sourcePort: number, destinationPort: number): Fields {
    return { sourcePort, destinationPort }
  }

  /** Ports that nobody takes for a protocol's. */
  #ported(name: 'tcp' | 'udp'): Fields {
    const port = () => 61000 + this.#random.below(500)
    const reserved = name === 'tcp' ? { reserved: 0 } : {}
    return { ...this.#record(name), ...reserved, sourcePort: port(), destinationPort: port() }
  }

  #payload(): Uint8Array {
    return Uint8Array.from({ length: this.#random.below(40) }, () => this.#random.below(256))
  }

  #list<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make)
  }

  #some(name: FrameCodecName, ...fields: string[]): Fields {
    const record = this.#whole(name)
    return Object.fromEntries(fields.map(field => [field, record[field]]))
  }

  /** Without what the encoder computes, but for `kept`. */
  #record(name: FrameCodecName, ...kept: string[]): Fields {
    const entries = Object.entries(this.#whole(name))
    return Object.fromEntries(entries.filter(([key]) => kept.includes(key) || !computed.includes(key)))
  }

  #whole(name: FrameCodecName): Fields {
    let records = this.#records.get(name)
    if (!records) {
      records = fc.sample(recordArbitraries[name], { seed: this.#seed, numRuns: 200 }) as unknown as Fields[]
      this.#records.set(name, records)
    }
    return { ...records[this.#random.below(records.length)] }
  }
}
