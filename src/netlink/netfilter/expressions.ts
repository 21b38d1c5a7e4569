import type { IpFamily, IpPrefix } from '../../address/index.js'
import type { MessageWriter } from '../core/index.js'
import {
  NFPROTO,
  NFT_CMP,
  NFT_META,
  NFT_NAT,
  NFT_PAYLOAD,
  NFT_REG,
  NFTA_BITWISE,
  NFTA_CMP,
  NFTA_DATA,
  NFTA_EXPR,
  NFTA_IMMEDIATE,
  NFTA_LIST,
  NFTA_MASQ,
  NFTA_META,
  NFTA_NAT,
  NFTA_PAYLOAD,
} from './constants.js'

const encoder = new TextEncoder()
/** include/uapi/linux/if.h: names with their zero byte. */
const IFNAMSIZ = 16

export interface PortRange {
  low: number
  high: number
}

/**
 * Writes the expressions of one rule, in the order in which the kernel's nf_tables machine runs them: each loads a
 * register, compares it and gives up, or acts. All go through the first register.
 */
export class RuleWriter {
  readonly #writer: MessageWriter

  constructor(writer: MessageWriter) {
    this.#writer = writer
  }

  family(family: IpFamily): this {
    return this.#meta(NFT_META.NFPROTO).#compare(NFT_CMP.EQ, Uint8Array.of(protocolFamily(family)))
  }

  inLink(name: string): this {
    return this.#meta(NFT_META.IIFNAME).#compare(NFT_CMP.EQ, linkName(name))
  }

  outLink(name: string): this {
    return this.#meta(NFT_META.OIFNAME).#compare(NFT_CMP.EQ, linkName(name))
  }

  /** IPPROTO_*. */
  transport(protocol: number): this {
    return this.#meta(NFT_META.L4PROTO).#compare(NFT_CMP.EQ, Uint8Array.of(protocol))
  }

  source(prefix: IpPrefix): this {
    return this.#address(prefix, prefix.family === 4 ? 12 : 8)
  }

  destination(prefix: IpPrefix): this {
    return this.#address(prefix, prefix.family === 4 ? 16 : 24)
  }

  destinationPort({ low, high }: PortRange): this {
    this.#payload(NFT_PAYLOAD.TRANSPORT_HEADER, 2, 2)
    if (low === high) return this.#compare(NFT_CMP.EQ, bigEndian(low))
    return this.#compare(NFT_CMP.GTE, bigEndian(low)).#compare(NFT_CMP.LTE, bigEndian(high))
  }

  /** `flags`: NF_NAT_RANGE_*. */
  masquerade(flags: number): this {
    return this.#expression('masq', writer => {
      if (flags) writer.u32be(NFTA_MASQ.FLAGS, 'flags', flags)
    })
  }

  destinationNat(family: IpFamily, address: Uint8Array, port: number | undefined): this {
    this.#immediate(NFT_REG.REG_1, address)
    if (port !== undefined) this.#immediate(NFT_REG.REG_2, bigEndian(port))
    return this.#expression('nat', writer => {
      writer.u32be(NFTA_NAT.TYPE, 'type', NFT_NAT.DNAT)
      writer.u32be(NFTA_NAT.FAMILY, 'family', protocolFamily(family))
      writer.u32be(NFTA_NAT.REG_ADDR_MIN, 'address', NFT_REG.REG_1)
      if (port !== undefined) writer.u32be(NFTA_NAT.REG_PROTO_MIN, 'port', NFT_REG.REG_2)
    })
  }

  #address(prefix: IpPrefix, offset: number): this {
    const { family, bytes, length } = prefix
    if (length === 0) return this.family(family)
    const mask = Uint8Array.from(bytes, (_, i) => 0xff00 >> Math.min(8, Math.max(0, length - 8 * i)))
    this.family(family).#payload(NFT_PAYLOAD.NETWORK_HEADER, offset, bytes.length)
    if (length < 8 * bytes.length) {
      this.#expression('bitwise', writer => {
        writer.u32be(NFTA_BITWISE.SREG, 'source', NFT_REG.REG_1)
        writer.u32be(NFTA_BITWISE.DREG, 'destination', NFT_REG.REG_1)
        writer.u32be(NFTA_BITWISE.LEN, 'length', bytes.length)
        this.#value(NFTA_BITWISE.MASK, mask)
        this.#value(NFTA_BITWISE.XOR, new Uint8Array(bytes.length))
      })
    }
    return this.#compare(
      NFT_CMP.EQ,
      bytes.map((byte, i) => byte & mask[i]!),
    )
  }

  #meta(key: number): this {
    return this.#expression('meta', writer => {
      writer.u32be(NFTA_META.DREG, 'register', NFT_REG.REG_1)
      writer.u32be(NFTA_META.KEY, 'key', key)
    })
  }

  #payload(base: number, offset: number, length: number): this {
    return this.#expression('payload', writer => {
      writer.u32be(NFTA_PAYLOAD.DREG, 'register', NFT_REG.REG_1)
      writer.u32be(NFTA_PAYLOAD.BASE, 'base', base)
      writer.u32be(NFTA_PAYLOAD.OFFSET, 'offset', offset)
      writer.u32be(NFTA_PAYLOAD.LEN, 'length', length)
    })
  }

  #compare(operator: number, value: Uint8Array): this {
    return this.#expression('cmp', writer => {
      writer.u32be(NFTA_CMP.SREG, 'register', NFT_REG.REG_1)
      writer.u32be(NFTA_CMP.OP, 'operator', operator)
      this.#value(NFTA_CMP.DATA, value)
    })
  }

  #immediate(register: number, value: Uint8Array): this {
    return this.#expression('immediate', writer => {
      writer.u32be(NFTA_IMMEDIATE.DREG, 'register', register)
      this.#value(NFTA_IMMEDIATE.DATA, value)
    })
  }

  #value(type: number, value: Uint8Array): void {
    this.#writer.nested(type, 'value', writer => writer.bytes(NFTA_DATA.VALUE, '', value))
  }

  #expression(name: string, write: (writer: MessageWriter) => void): this {
    this.#writer.nested(NFTA_LIST.ELEM, name, writer => {
      writer.string(NFTA_EXPR.NAME, 'name', name)
      writer.nested(NFTA_EXPR.DATA, '', write)
    })
    return this
  }
}

function protocolFamily(family: IpFamily): number {
  return family === 4 ? NFPROTO.IPV4 : NFPROTO.IPV6
}

function bigEndian(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port)
}

function linkName(name: string): Uint8Array {
  const bytes = new Uint8Array(IFNAMSIZ)
  bytes.set(encoder.encode(name))
  return bytes
}
