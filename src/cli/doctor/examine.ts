import { type BaseChain, listBaseChains } from '../../netlink/index.js'
import { Network } from '../../network/index.js'
import type { Finding, System } from './finding.js'
import { examineForwarding, examineForwardPolicy } from './forwarding.js'
import { examineCapabilities, examineUserNamespaces } from './rights.js'
import { system } from './system.js'
import { examineKinds, findingOfNetwork, tryNetwork, tryTap } from './trials.js'
import { examineTunDevice } from './tun-device.js'

/** All that can be found out here. What it makes for that is in networks of its own, and gone when it resolves. */
export async function examine(): Promise<Finding[]> {
  const findings = [
    examineTunDevice(system),
    ...examineCapabilities(system),
    ...examineUserNamespaces(system),
  ]
  const own = await tryNetwork(false)
  const user = await tryNetwork(true)
  try {
    findings.push(findingOfNetwork(false, own), findingOfNetwork(true, user), examineNames(system, own))
    const scratch = [own, user].find(tried => tried instanceof Network)
    findings.push(await examineTap(scratch))
    const chains = await readBaseChains()
    findings.push(
      examineNfTables(chains),
      ...examineForwarding(system),
      examineForwardPolicy(system, reasonOr(chains)),
    )
    findings.push(...(await examineKinds(scratch)))
  } finally {
    for (const tried of [own, user]) if (tried instanceof Network) await tried.close()
  }
  return findings
}

async function examineTap(scratch: Network | undefined): Promise<Finding> {
  const about = { id: 'tap', question: 'TAP devices can be made' }
  if (!scratch) return { ...about, answer: 'unknown', reason: 'there is no network to try it in' }
  const tried = await tryTap(scratch)
  if (tried === true) return { ...about, answer: 'yes', reason: 'one was made, and is gone' }
  return { ...about, answer: 'no', reason: tried.message }
}

/** Names of networks are files in /run/netns, mounted upon. */
export function examineNames(system: System, own: unknown): Finding {
  const about = { id: 'named-network', question: 'networks can have names, in /run/netns' }
  if (own instanceof Error)
    return { ...about, answer: 'no', reason: 'no network can be made without a user namespace' }
  if (system.uid !== 0) return { ...about, answer: 'no', reason: 'only root can mount there' }
  const mode = system.mode('/run/netns')
  const reason = mode === undefined ? '/run/netns is made with the first name' : '/run/netns is there'
  return { ...about, answer: 'yes', reason }
}

async function readBaseChains(): Promise<BaseChain[] | Error> {
  try {
    return await listBaseChains()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function reasonOr(chains: BaseChain[] | Error): readonly BaseChain[] | string {
  return chains instanceof Error ? chains.message : chains
}

function examineNfTables(chains: BaseChain[] | Error): Finding {
  const about = { id: 'nf-tables', question: 'nf_tables: address translation and port forwarding' }
  if (!(chains instanceof Error)) return { ...about, answer: 'yes', reason: 'the kernel lists its chains' }
  const code = 'code' in chains ? chains.code : undefined
  const answer = code === 'EPERM' || code === 'EACCES' ? ('unknown' as const) : ('no' as const)
  return {
    ...about,
    answer,
    reason: chains.message,
    ...(answer === 'no' && { advice: 'sudo modprobe nf_tables' }),
  }
}
