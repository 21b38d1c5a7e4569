import { always, and, type Condition, never, not, or, test } from './condition.js'
import { extensions } from './instruction.js'
import type { LinkLayer } from './link-layer.js'
import type { Value, Values } from './value.js'

/** A place in the packet: `base`, if it is only known at run time, and a constant. */
export interface Location {
  base: Value | undefined
  offset: number
}

/** Where the 802.1Q tag is that the kernel may have taken out of the frame. */
export type TagPlace = 'inline' | 'beside'

/** One way in which a packet may carry a pair of addresses or ports: what it must be, and where they are. */
export interface Carrier {
  guard: Condition
  source: readonly Value[]
  destination: readonly Value[]
}

const pppTypes: Readonly<Record<number, number>> = {
  2048: 0x21,
  34525: 0x57,
  24579: 0x27,
  32923: 0x29,
  254: 0x23,
  66: 0x31,
  224: 0x2b,
}

/** The limit between lengths of 802.3 and EtherTypes. */
const maxLengthField = 1500
/** The protocol that Linux shows for frames with an LLC header (`ETH_P_802_2`). */
const linuxLlc = 4

/**
 * Where headers begin for the part of the filter that is compiled now. `vlan`, `mpls`, `pppoes`, `geneve` and `vxlan`
 * move it for all that follows them in the text.
 */
export class Position {
  readonly values: Values
  readonly link: LinkLayer
  readonly tag: TagPlace
  /** What tells the protocol: the link layer's own field, or that of a tunnel. */
  kind: 'link' | 'ethernet' | 'ppp'
  header: Location = { base: undefined, offset: 0 }
  type: Location
  network: Location
  /** Holds where there is a link header, which a Geneve packet may lack. */
  hasHeader: Condition = always
  tags = 0
  labels = 0
  /** How often it has moved. */
  moves = 0
  /** What was found out for earlier addresses, by what was asked and `moves`: long lists ask the same each time. */
  readonly carriers = new Map<string, readonly Carrier[]>()

  constructor(values: Values, link: LinkLayer, tag: TagPlace) {
    this.values = values
    this.link = link
    this.tag = tag
    this.kind = link.name === 'Ethernet' ? 'ethernet' : 'link'
    const { protocol } = link
    this.type = { base: undefined, offset: protocol.kind === 'ethertype' ? protocol.offset : 0 }
    this.network = { base: undefined, offset: link.payload }
  }

  get name(): string {
    return this.kind === 'ethernet' ? 'Ethernet' : this.kind === 'ppp' ? 'PPP' : this.link.name
  }

  load(size: 1 | 2 | 4, at: Location, offset = 0): Value {
    return this.values.load(size, at.offset + offset, at.base)
  }

  equals(value: Value, number: number): Condition {
    return test('=', value, this.values.constant(number))
  }

  /** That the bits of `mask` are those of `number`. */
  masked(value: Value, mask: number, number: number): Condition {
    return this.equals(this.values.binary('&', value, this.values.constant(mask)), number)
  }

  hasBits(value: Value, mask: number): Condition {
    return not(this.masked(value, mask, 0))
  }

  get ip(): Condition {
    return this.protocol(0x0800)
  }

  get ip6(): Condition {
    return this.protocol(0x86dd)
  }

  /** That the packet is of this EtherType, or of this service access point of LLC if it is at most 1500. */
  protocol(number: number): Condition {
    if (this.labels > 0) return this.#labelled(number)
    const type = this.load(2, this.type)
    if (this.kind === 'ppp') return this.equals(type, pppTypes[number] ?? number)
    if (this.kind === 'ethernet') {
      return this.#etherType(type, number, not(test('>', type, this.values.constant(maxLengthField))))
    }
    const { protocol } = this.link
    const family = number === 0x0800 ? 'ip' : number === 0x86dd ? 'ip6' : undefined
    switch (protocol.kind) {
      case 'ethertype':
        return this.#etherType(type, number, this.equals(type, linuxLlc))
      case 'extension': {
        const kernels = this.values.extension(extensions.protocol)
        return this.#etherType(kernels, number, this.equals(kernels, linuxLlc))
      }
      case 'version':
        return family === undefined ? never : this.#version(family)
      case 'family':
        return family === undefined ? never : this.equals(this.load(4, this.header), protocol[family])
      case 'always':
        return protocol.protocol === family ? always : never
    }
  }

  #version(family: 'ip' | 'ip6'): Condition {
    return this.masked(this.load(1, this.network), 0xf0, family === 'ip' ? 0x40 : 0x60)
  }

  /** Below labels nothing tells the protocol but its first nibble, and only below the last label. */
  #labelled(number: number): Condition {
    if (number !== 0x0800 && number !== 0x86dd)
      throw new Unsupported('Below MPLS only IPv4 and IPv6 can be told')
    const bottom = this.masked(this.load(1, this.network, -2), 1, 1)
    return and(bottom, this.#version(number === 0x0800 ? 'ip' : 'ip6'))
  }

  /** `llc` holds for frames whose payload begins with an LLC header. */
  #etherType(type: Value, number: number, llc: Condition): Condition {
    const dsap = this.load(1, this.network)
    const saps = this.load(2, this.network)
    const snap = (organization: number, protocol: number) =>
      and(
        llc,
        this.equals(this.load(4, this.network, 4), ((organization << 16) | protocol) >>> 0),
        this.equals(this.load(4, this.network), (0xaaaa0300 | (organization >>> 16)) >>> 0),
      )
    switch (number) {
      case 0x809b:
        return or(this.equals(type, number), snap(0x080007, number))
      case 0x80f3:
        return or(this.equals(type, number), snap(0, number))
      case 0xfe:
      case 0xf0:
      case 0x06:
        return and(llc, this.equals(saps, number * 0x101))
      case 0xe0:
        if (this.kind !== 'ethernet') throw new Unsupported(`IPX cannot be told on ${this.name}`)
        return or(
          this.equals(type, 0x8137),
          snap(0, 0x8137),
          and(llc, or(this.equals(dsap, number), this.equals(saps, 0xffff))),
        )
      default:
        return number > maxLengthField ? this.equals(type, number) : and(llc, this.equals(dsap, number))
    }
  }

  /** Where the header behind IPv4's begins. */
  transport(): Location {
    const { base, offset } = this.network
    if (base === undefined) return { base: this.values.header(offset), offset }
    const { values } = this
    const words = values.binary('&', this.load(1, this.network), values.constant(0xf))
    const length = values.binary('<<', words, values.constant(2))
    return { base: values.binary('+', length, base), offset }
  }

  /** That this is not the second or a later fragment of an IPv4 packet, which has no transport header. */
  get notLaterFragment(): Condition {
    return not(this.hasBits(this.load(2, this.network, 6), 0x1fff))
  }
}

/** What the compiler cannot do at this place; becomes an error with the place. */
export class Unsupported extends Error {
  readonly suggestion: string | undefined

  constructor(message: string, suggestion?: string) {
    super(message)
    this.suggestion = suggestion
  }
}
