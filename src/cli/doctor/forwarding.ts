import type { BaseChain } from '../../netlink/index.js'
import type { Finding, System } from './finding.js'
import { numberOf, reasonOf } from './rights.js'

/** Whether this network forwards packets, and what may stand in the way. */
export function examineForwarding(system: System): Finding[] {
  const forwards = [
    ['net.ipv4.ip_forward', 'IPv4'],
    ['net.ipv6.conf.all.forwarding', 'IPv6'],
  ].map(([name, family]) => {
    const reading = system.read(`/proc/sys/${name!.replaceAll('.', '/')}`)
    const about = { id: name!, question: `this network forwards ${family}` }
    const number = numberOf(reading)
    if (number === undefined) return { ...about, answer: 'unknown' as const, reason: reasonOf(reading) }
    const reason = `${name} is ${number}`
    if (number > 0) return { ...about, answer: 'yes' as const, reason }
    return { ...about, answer: 'no' as const, reason, advice: `To be a router:  sudo sysctl ${name}=1` }
  })
  return [...forwards, examineBridgeFilter(system)]
}

/** br_netfilter sends the frames of bridges through the host's IP firewall. */
function examineBridgeFilter(system: System): Finding {
  const name = 'net.bridge.bridge-nf-call-iptables'
  const about = { id: name, question: 'bridges forward without the IP firewall' }
  const reading = system.read(`/proc/sys/${name.replaceAll('.', '/')}`)
  if ('code' in reading && reading.code === 'ENOENT')
    return { ...about, answer: 'yes', reason: 'br_netfilter is not loaded, or not for this network' }
  const number = numberOf(reading)
  if (number === undefined) return { ...about, answer: 'unknown', reason: reasonOf(reading) }
  if (number === 0) return { ...about, answer: 'yes', reason: `${name} is 0` }
  return {
    ...about,
    answer: 'no',
    reason: `${name} is ${number}: rules for forwarding apply to frames between ports, Docker’s too`,
    advice: `If machines on a bridge cannot reach each other:  sudo sysctl ${name}=0`,
  }
}

/**
 * Docker sets the policy of FORWARD to DROP. `chains`: those of nf_tables for IPv4, which iptables uses nowadays, or
 * why they cannot be read.
 */
export function examineForwardPolicy(system: System, chains: readonly BaseChain[] | string): Finding {
  const about = { id: 'forward-policy', question: 'the IPv4 firewall forwards what no rule refuses' }
  if (typeof chains === 'string') return { ...about, answer: 'unknown', reason: chains }
  const refusing = chains.find(({ name, accepts }) => /^forward$/i.test(name) && !accepts)
  if (refusing) {
    const docker = chains.some(({ name }) => name.startsWith('DOCKER'))
    const chain = docker ? 'DOCKER-USER' : 'FORWARD'
    return {
      ...about,
      answer: 'no',
      reason: `the policy of ${refusing.name} in table ${refusing.table} is drop${docker ? ', as Docker sets it' : ''}`,
      advice: `To let a bridge through:  sudo iptables -I ${chain} -i br0 -j ACCEPT`,
    }
  }
  // The older iptables keeps tables of its own, which nf_tables does not show.
  const legacy = system.read('/proc/net/ip_tables_names')
  if ('text' in legacy && legacy.text.split('\n').includes('filter')) {
    return { ...about, answer: 'unknown', reason: 'iptables-legacy has rules, which are not read' }
  }
  if ('code' in legacy && legacy.code !== 'ENOENT') {
    return { ...about, answer: 'unknown', reason: `/proc/net/ip_tables_names: ${reasonOf(legacy)}` }
  }
  return { ...about, answer: 'yes', reason: 'no chain of nf_tables drops it by policy' }
}
