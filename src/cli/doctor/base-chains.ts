import { MessageWriter, NETLINK, NetlinkConnection, NLM_F } from '../../netlink/index.js'
import type { BaseChain } from './forwarding.js'

/** include/uapi/linux/netfilter/nfnetlink.h and nf_tables.h */
const NFNL_SUBSYS_NFTABLES = 10
const NFT_MSG_GETCHAIN = 4
const NFTA_CHAIN = { TABLE: 1, NAME: 3, POLICY: 5 } as const
const NF_ACCEPT = 1
/** include/uapi/linux/netfilter.h */
const NFPROTO_IPV4 = 2
const NFPROTO_INET = 1
/** Bytes of struct nfgenmsg. */
const headerLength = 4

/** The chains of nf_tables for IPv4, those without a policy included. @throws NetlinkError */
export async function listBaseChains(): Promise<BaseChain[]> {
  const connection = new NetlinkConnection({ protocol: NETLINK.NETFILTER })
  const request = new MessageWriter({
    type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    header: {
      length: headerLength,
      // Of all families: a chain of `inet` sees IPv4 too.
      write: () => {},
    },
    name: 'chain',
  }).finish()
  let chains: BaseChain[] = []
  try {
    await connection.dump(request, {
      operation: 'list chains',
      onMessage: ({ payload }) => {
        const chain = { table: '', name: '', accepts: true }
        const attributes = payload.attributes(headerLength)
        while (attributes.next()) {
          if (attributes.type === NFTA_CHAIN.TABLE) chain.table = attributes.string()
          else if (attributes.type === NFTA_CHAIN.NAME) chain.name = attributes.string()
          else if (attributes.type === NFTA_CHAIN.POLICY) chain.accepts = attributes.u32be() === NF_ACCEPT
        }
        const family = payload.u8(0)
        if (family === NFPROTO_IPV4 || family === NFPROTO_INET) chains.push(chain)
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
