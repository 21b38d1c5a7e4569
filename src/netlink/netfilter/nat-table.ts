import { NetloomError } from '../../errors/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import { MessageWriter, NETLINK, NetlinkConnection, NLM_F, type Request } from '../core/index.js'
import {
  NF_INET,
  NF_IP_PRI,
  NFNL,
  NFPROTO,
  NFT_MSG,
  NFT_TABLE_F,
  NFTA_CHAIN,
  NFTA_HOOK,
  NFTA_RULE,
  NFTA_TABLE,
} from './constants.js'
import { RuleWriter } from './expressions.js'
import { netfilterHeader, netfilterHeaderLength } from './message.js'

/** Where a rule is asked: chains of the same names, at the priorities of `dstnat` and `srcnat` in nft(8). */
const chains = {
  prerouting: { hook: NF_INET.PRE_ROUTING, priority: NF_IP_PRI.NAT_DST },
  output: { hook: NF_INET.LOCAL_OUT, priority: NF_IP_PRI.NAT_DST },
  postrouting: { hook: NF_INET.POST_ROUTING, priority: NF_IP_PRI.NAT_SRC },
} as const

export type NatChain = keyof typeof chains

// The answer to a request for an echo is the rule.
const replyBytes = 4096

/**
 * A table for address translation in nf_tables, of the family inet. It belongs to its connection: it goes when that is
 * closed, or the process ends, and nobody else may change it (NFT_TABLE_F_OWNER, Linux 5.12).
 */
export class NatTable {
  readonly #connection: NetlinkConnection
  readonly name: string
  #made: Promise<void> | undefined

  constructor(where: NamespaceReference | undefined) {
    this.#connection = new NetlinkConnection({ in: where, protocol: NETLINK.NETFILTER })
    // Addresses of sockets are told apart within a namespace, and so are the tables.
    this.name = `netloom-${this.#connection.port}`
  }

  /** Adds a rule to each of the chains, all or none; gives their handles. @throws NetlinkError */
  async add(
    operation: string,
    subject: string,
    rules: readonly { chain: NatChain; write: (rule: RuleWriter) => void }[],
  ): Promise<bigint[]> {
    this.#made ??= this.#make()
    try {
      await this.#made
    } catch (error) {
      // The next one tries again.
      this.#made = undefined
      throw error
    }
    const handles: bigint[] = []
    await this.#commit(
      operation,
      subject,
      rules.map(({ chain, write }) => this.#ruleRequest(chain, write)),
      message => {
        // The new generation is told too.
        if (message.type !== ((NFNL.SUBSYS_NFTABLES << 8) | NFT_MSG.NEWRULE)) return
        const cursor = message.payload.attributes(netfilterHeaderLength)
        while (cursor.next()) if (cursor.type === NFTA_RULE.HANDLE) handles.push(cursor.u64be())
      },
    )
    if (handles.length !== rules.length) {
      throw new NetloomError(
        'ERR_NETLINK_PROTOCOL',
        `${operation}: the kernel did not tell the rule's handle`,
      )
    }
    return handles
  }

  /** @throws NetlinkError `ENOENT` for one that is gone */
  async delete(rules: readonly { chain: NatChain; handle: bigint }[]): Promise<void> {
    const requests = rules.map(({ chain, handle }) =>
      this.#writer(NFT_MSG.DELRULE, 0, 'rule')
        .string(NFTA_RULE.TABLE, 'table', this.name)
        .string(NFTA_RULE.CHAIN, 'chain', chain)
        .u64be(NFTA_RULE.HANDLE, 'handle', handle)
        .finish(),
    )
    await this.#commit('delete nat rule', undefined, requests)
  }

  /** The table goes with it. */
  close(): void {
    this.#connection.close()
  }

  async #make(): Promise<void> {
    const table = this.#writer(NFT_MSG.NEWTABLE, NLM_F.CREATE | NLM_F.EXCL, 'table')
      .string(NFTA_TABLE.NAME, 'name', this.name)
      .u32be(NFTA_TABLE.FLAGS, 'flags', NFT_TABLE_F.OWNER)
      .finish()
    const requests = Object.entries(chains).map(([name, { hook, priority }]) =>
      this.#writer(NFT_MSG.NEWCHAIN, NLM_F.CREATE, 'chain')
        .string(NFTA_CHAIN.TABLE, 'table', this.name)
        .string(NFTA_CHAIN.NAME, 'name', name)
        .nested(NFTA_CHAIN.HOOK, 'hook', writer => {
          writer.u32be(NFTA_HOOK.HOOKNUM, 'number', hook)
          writer.u32be(NFTA_HOOK.PRIORITY, 'priority', priority >>> 0)
        })
        .string(NFTA_CHAIN.TYPE, 'type', 'nat')
        .finish(),
    )
    await this.#commit('create nat table', this.name, [table, ...requests])
  }

  #ruleRequest(chain: NatChain, write: (rule: RuleWriter) => void): Request {
    return this.#writer(NFT_MSG.NEWRULE, NLM_F.CREATE | NLM_F.APPEND | NLM_F.ECHO, 'rule')
      .string(NFTA_RULE.TABLE, 'table', this.name)
      .string(NFTA_RULE.CHAIN, 'chain', chain)
      .nested(NFTA_RULE.EXPRESSIONS, '', writer => write(new RuleWriter(writer)))
      .finish()
  }

  #commit(
    operation: string,
    subject: string | undefined,
    requests: Request[],
    onMessage?: Parameters<NetlinkConnection['request']>[1]['onMessage'],
  ): Promise<void> {
    return this.#connection.transaction(
      boundary(NFNL.MSG_BATCH_BEGIN),
      requests,
      boundary(NFNL.MSG_BATCH_END),
      { operation, subject, replyBytes, onMessage },
    )
  }

  #writer(type: number, flags: number, name: string): MessageWriter {
    return new MessageWriter({
      type: (NFNL.SUBSYS_NFTABLES << 8) | type,
      flags: NLM_F.REQUEST | NLM_F.ACK | flags,
      header: netfilterHeader(NFPROTO.INET, 0),
      name,
    })
  }
}

function boundary(type: number): Request {
  return new MessageWriter({
    type,
    flags: NLM_F.REQUEST,
    header: netfilterHeader(NFPROTO.UNSPEC, NFNL.SUBSYS_NFTABLES),
    name: 'transaction',
  }).finish()
}
