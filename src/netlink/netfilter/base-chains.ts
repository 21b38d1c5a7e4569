import { MessageWriter, NETLINK, NetlinkConnection, NLM_F } from '../core/index.js'
import { NF, NFNL, NFPROTO, NFT_MSG, NFTA_CHAIN } from './constants.js'
import { netfilterHeader, netfilterHeaderLength } from './message.js'

/** A chain of nf_tables that the kernel calls by itself, and what it does with what no rule decided. */
export interface BaseChain {
  readonly table: string
  readonly name: string
  readonly accepts: boolean
}

/** The chains of nf_tables for IPv4, those without a policy included. @throws NetlinkError */
export async function listBaseChains(): Promise<BaseChain[]> {
  const connection = new NetlinkConnection({ protocol: NETLINK.NETFILTER })
  const request = new MessageWriter({
    type: (NFNL.SUBSYS_NFTABLES << 8) | NFT_MSG.GETCHAIN,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    // Of all families: a chain of `inet` sees IPv4 too.
    header: netfilterHeader(NFPROTO.UNSPEC, 0),
    name: 'chain',
  }).finish()
  let chains: BaseChain[] = []
  try {
    await connection.dump(request, {
      operation: 'list chains',
      onMessage: ({ payload }) => {
        const chain = { table: '', name: '', accepts: true }
        const attributes = payload.attributes(netfilterHeaderLength)
        while (attributes.next()) {
          if (attributes.type === NFTA_CHAIN.TABLE) chain.table = attributes.string()
          else if (attributes.type === NFTA_CHAIN.NAME) chain.name = attributes.string()
          else if (attributes.type === NFTA_CHAIN.POLICY) chain.accepts = attributes.u32be() === NF.ACCEPT
        }
        const family = payload.u8(0)
        if (family === NFPROTO.IPV4 || family === NFPROTO.INET) chains.push(chain)
      },
      onRestart: () => {
        chains = []
      },
    })
    return chains
  } finally {
    connection.close()
  }
}
