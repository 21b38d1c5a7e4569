import {
  checkInterfaceName,
  formatIpPrefix,
  type IpFamily,
  type IpPrefix,
  parseIpAddress,
  parseIpPrefix,
} from '../../address/index.js'
import { invalidArgumentValue, NetloomError, requireInteger, requireOptions } from '../../errors/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import { NF_NAT_RANGE } from './constants.js'
import type { PortRange, RuleWriter } from './expressions.js'
import { type NatChain, NatTable } from './nat-table.js'

/** include/uapi/linux/in.h, IPPROTO_*. */
const transports = { tcp: 6, udp: 17, dccp: 33, sctp: 132 } as const

export interface MasqueradeOptions {
  /** Only what comes from here: `10.0.0.0/24`. */
  source?: string | undefined
  /** Only what leaves through the link of this name. */
  out?: string | undefined
  /** Source ports are drawn at random, whatever the sender's were. */
  randomPorts?: boolean | undefined
}

export interface PortForwardOptions {
  protocol: keyof typeof transports
  /** One port, or a range, which is kept. */
  port: number | PortRange
  /** Only what is sent to this address, also by this host itself. This, or `in`, is needed. */
  address?: string | undefined
  /** Only what comes in through the link of this name. */
  in?: string | undefined
  /** The address of the host to which it goes. */
  to: string
  /** Default: the port stays. Not with a range. */
  toPort?: number | undefined
}

/** A rule that is in force. */
export interface NatRule {
  readonly kind: 'masquerade' | 'portForward'
  readonly options: Readonly<MasqueradeOptions | PortForwardOptions>
  /** Idempotent. */
  delete(): Promise<void>
}

/**
 * Network address translation by the kernel, as `nft` shows it. The rules are in one table of our own, which goes when
 * the network is closed or the process ends. With `sysctl.set('net.ipv4.ip_forward', 1)` the kernel is a router for
 * those behind it.
 */
export class Nat {
  readonly #where: () => NamespaceReference | undefined
  #table: NatTable | undefined
  readonly #rules = new Set<NatRule>()
  #open = true

  /** @internal */
  constructor(where: () => NamespaceReference | undefined) {
    this.#where = where
  }

  /**
   * What leaves gets the address of the link that it leaves through.
   * @throws NetlinkError; TypeError
   */
  async masquerade(options: MasqueradeOptions = {}): Promise<NatRule> {
    const {
      source,
      out,
      randomPorts = false,
    } = requireOptions('options', options, ['source', 'out', 'randomPorts'])
    const prefix = source === undefined ? undefined : parseIpPrefix(source)
    if (out !== undefined) checkInterfaceName(out)
    if (typeof randomPorts !== 'boolean') {
      throw invalidArgumentValue('options.randomPorts', randomPorts, 'must be true or false')
    }
    const write = (rule: RuleWriter) => {
      if (prefix) rule.source(prefix)
      if (out !== undefined) rule.outLink(out)
      rule.masquerade(randomPorts ? NF_NAT_RANGE.PROTO_RANDOM_FULLY : 0)
    }
    const subject = `${prefix ? formatIpPrefix(prefix) : 'everything'}${out === undefined ? '' : ` out of ${out}`}`
    return this.#add('masquerade', options, subject, [{ chain: 'postrouting', write }])
  }

  /**
   * What is sent to a port of this host goes to another one.
   * @throws NetlinkError; TypeError, RangeError
   */
  async portForward(options: PortForwardOptions): Promise<NatRule> {
    const names = ['protocol', 'port', 'address', 'in', 'to', 'toPort'] as const
    const { protocol, port, address, in: inLink, to, toPort } = requireOptions('options', options, names)
    if (!Object.hasOwn(transports, protocol)) {
      const known = Object.keys(transports).join(', ')
      throw invalidArgumentValue('options.protocol', protocol, `must be one of ${known}`)
    }
    const range = checkPorts(port)
    if (toPort !== undefined) requireInteger('options.toPort', toPort, 1, 0xffff)
    if (toPort !== undefined && range.low !== range.high) {
      throw invalidArgumentValue('options.toPort', toPort, 'must not be given with a range of ports')
    }
    const target = parseIpAddress(to)
    const prefix = address === undefined ? undefined : hostPrefix(address, target.family)
    if (inLink !== undefined) checkInterfaceName(inLink)
    if (prefix === undefined && inLink === undefined) {
      throw invalidArgumentValue(
        'options',
        options,
        'must have an address or in: else all that passes would be meant',
      )
    }
    const write = (rule: RuleWriter) => {
      if (inLink !== undefined) rule.inLink(inLink)
      if (prefix) rule.destination(prefix)
      else rule.family(target.family)
      rule.transport(transports[protocol]).destinationPort(range)
      rule.destinationNat(target.family, target.bytes, toPort)
    }
    // What this host itself sends comes in through no link.
    const hooks: NatChain[] = inLink === undefined ? ['prerouting', 'output'] : ['prerouting']
    const subject = `${protocol} port ${range.low}${range.low === range.high ? '' : `-${range.high}`} to ${to}`
    return this.#add(
      'portForward',
      options,
      subject,
      hooks.map(chain => ({ chain, write })),
    )
  }

  /** The rules that were made through this object. */
  list(): NatRule[] {
    return [...this.#rules]
  }

  /** The rules go. Idempotent. */
  close(): void {
    this.#open = false
    this.#rules.clear()
    this.#table?.close()
  }

  async #add(
    kind: NatRule['kind'],
    options: MasqueradeOptions | PortForwardOptions,
    subject: string,
    rules: { chain: NatChain; write: (rule: RuleWriter) => void }[],
  ): Promise<NatRule> {
    if (!this.#open) throw new NetloomError('ERR_INVALID_STATE', 'the network is closed')
    this.#table ??= new NatTable(this.#where())
    const table = this.#table
    const handles = await table.add(kind === 'masquerade' ? 'masquerade' : 'forward port', subject, rules)
    let deleted: Promise<void> | undefined
    const rule: NatRule = {
      kind,
      options: Object.freeze({ ...options }),
      delete: async () => {
        if (!this.#rules.has(rule)) return
        deleted ??= table.delete(rules.map(({ chain }, i) => ({ chain, handle: handles[i]! })))
        try {
          await deleted
          this.#rules.delete(rule)
        } finally {
          deleted = undefined
        }
      },
    }
    this.#rules.add(rule)
    return rule
  }
}

function checkPorts(port: number | PortRange): PortRange {
  if (typeof port === 'number') {
    requireInteger('options.port', port, 1, 0xffff)
    return { low: port, high: port }
  }
  const { low, high } = requireOptions('options.port', port, ['low', 'high'])
  requireInteger('options.port.low', low, 1, 0xffff)
  requireInteger('options.port.high', high, low, 0xffff)
  return { low, high }
}

function hostPrefix(address: string, family: IpFamily): IpPrefix {
  const parsed = parseIpAddress(address)
  if (parsed.family !== family) {
    throw invalidArgumentValue('options.address', address, `must be an IPv${family} address, as to is`)
  }
  return { ...parsed, length: 8 * parsed.bytes.length }
}
