import type { Finding, Reading, System } from './finding.js'
import { containerAdvice } from './tun-device.js'

/** Bits of CapEff in /proc/self/status; include/uapi/linux/capability.h */
const capabilities = {
  CAP_NET_ADMIN: [12, 'change links, addresses and routes'],
  CAP_NET_RAW: [13, 'open packet sockets'],
  CAP_SYS_ADMIN: [21, 'make and enter network namespaces'],
} as const

export function examineCapabilities(system: System): Finding[] {
  const status = system.read('/proc/self/status')
  const effective = 'text' in status ? /^CapEff:\s*([0-9a-f]+)$/m.exec(status.text)?.[1] : undefined
  return Object.entries(capabilities).map(([name, [bit, purpose]]) => {
    const about = { id: name.toLowerCase().replaceAll('_', '-'), question: `${name}: ${purpose}` }
    if (effective === undefined)
      return { ...about, answer: 'unknown', reason: '/proc/self/status does not tell' }
    const has = ((BigInt(`0x${effective}`) >> BigInt(bit)) & 1n) === 1n
    if (has) return { ...about, answer: 'yes', reason: `user ${system.uid} has it` }
    return {
      ...about,
      answer: 'no',
      reason: `user ${system.uid} lacks it`,
      advice:
        containerAdvice(system) ??
        'Run as root, or in a user namespace:  Network.create({ userNamespace: true })',
    }
  })
}

/** What the system's settings say of user namespaces; whether one can be made is tried elsewhere. */
export function examineUserNamespaces(system: System): Finding[] {
  const rows = [
    ['user.max_user_namespaces', (n: number) => n > 0, '65536'],
    ['kernel.unprivileged_userns_clone', (n: number) => n === 1, '1'],
    ['kernel.apparmor_restrict_unprivileged_userns', (n: number) => n === 0, '0'],
  ] as const
  return rows.flatMap(([name, allows, wanted]): Finding[] => {
    const reading = system.read(`/proc/sys/${name.replaceAll('.', '/')}`)
    // The latter two are of some distributions only.
    if ('code' in reading && reading.code === 'ENOENT' && name.startsWith('kernel.')) return []
    const about = { id: name, question: `${name} allows user namespaces` }
    const number = numberOf(reading)
    if (number === undefined) return [{ ...about, answer: 'unknown', reason: reasonOf(reading) }]
    if (allows(number)) return [{ ...about, answer: 'yes', reason: `it is ${number}` }]
    const advice = `An administrator can allow them:  sudo sysctl ${name}=${wanted}`
    return [{ ...about, answer: 'no', reason: `it is ${number}`, advice }]
  })
}

export function numberOf(reading: Reading): number | undefined {
  return 'text' in reading && /^-?\d+$/.test(reading.text) ? Number(reading.text) : undefined
}

export function reasonOf(reading: Reading): string {
  return 'code' in reading ? `reading it gave ${reading.code}` : `it says ${JSON.stringify(reading.text)}`
}
