import dnsPacket from 'dns-packet'
import { Random } from './random.js'

const flagBits = [1 << 10, 1 << 9, 1 << 8, 1 << 7, 1 << 5, 1 << 4]
const labels = ['a', 'www', 'example', 'org', 'xn--bcher-kva', '_http', '_tcp', 'local', 'x'.repeat(63)]

/** Makes messages of DNS with records of all sorts. The same seed makes the same messages. */
export class RandomDns {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = new Random(seed)
  }

  next(): Buffer {
    const below = (limit: number) => this.#random.below(limit)
    const isResponse = below(3) > 0
    const list = (most: number) =>
      Array.from({ length: isResponse ? below(most + 1) : 0 }, () => this.#record())
    const opt: dnsPacket.OptAnswer = {
      type: 'OPT',
      name: '.',
      // Multicast DNS has another use for the highest bit.
      udpPayloadSize: below(32768),
      extendedRcode: 0,
      ednsVersion: 0,
      flags: below(2) << 15,
      flag_do: false,
      options: [],
    }
    const flags = flagBits.reduce((bits, bit) => bits | (below(2) * bit), isResponse ? below(11) : 0)
    const message = dnsPacket.encode({
      type: isResponse ? 'response' : 'query',
      id: below(65536),
      flags,
      questions: Array.from({ length: below(8) === 0 ? 2 : 1 }, () => ({
        name: this.#name(),
        type: (['A', 'AAAA', 'PTR', 'TXT', 'MX', 'ANY', 'UNKNOWN_65'] as dnsPacket.RecordType[])[below(7)]!,
      })),
      answers: list(5),
      authorities: list(2),
      additionals: below(2) === 0 ? [...list(2), opt] : list(2),
    })
    return message
  }

  #name(): string {
    const count = this.#random.below(4)
    return Array.from({ length: count }, () => labels[this.#random.below(labels.length)]!).join('.') || '.'
  }

  #bytes(most: number): Buffer {
    return Buffer.from(Array.from({ length: this.#random.below(most) }, () => this.#random.below(256)))
  }

  #record(): dnsPacket.Answer {
    const below = (limit: number) => this.#random.below(limit)
    const common = { name: this.#name(), ttl: below(1 << 30), flush: below(4) === 0 }
    const number = below(65536)
    switch (below(12)) {
      case 0:
        return { ...common, type: 'AAAA', data: `2001:db8::${number.toString(16)}` }
      case 1:
        return { ...common, type: 'CNAME', data: this.#name() }
      case 2:
        return { ...common, type: 'MX', data: { preference: number, exchange: this.#name() } }
      case 3:
        return { ...common, type: 'NS', data: this.#name() }
      case 4:
        return { ...common, type: 'PTR', data: this.#name() }
      case 5:
        return {
          ...common,
          type: 'SRV',
          data: { priority: number, weight: below(65536), port: below(65536), target: this.#name() },
        }
      case 6:
        return { ...common, type: 'TXT', data: [this.#bytes(20), this.#bytes(20)] }
      case 7:
        return {
          ...common,
          type: 'SOA',
          data: {
            ...{ mname: this.#name(), rname: this.#name(), serial: number, refresh: below(1 << 30) },
            ...{ retry: number, expire: number, minimum: number },
          },
        }
      case 8:
        return { ...common, type: 'UNKNOWN_65280' as 'NULL', data: this.#bytes(20) }
      default:
        return { ...common, type: 'A', data: `192.0.2.${below(256)}` }
    }
  }
}
