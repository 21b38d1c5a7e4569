import type { Finding, System } from './finding.js'

export const tunPath = '/dev/net/tun'

/** The device node that TAP and TUN devices are made through. Opening it alone makes nothing. */
export function examineTunDevice(system: System): Finding {
  const about = { id: 'tun', question: `${tunPath} can be opened` } as const
  const mode = system.mode(tunPath)
  if (mode === undefined) {
    return {
      ...about,
      answer: 'no',
      reason: `${tunPath} is not there`,
      advice: containerAdvice(system) ?? 'Load the driver:  sudo modprobe tun',
    }
  }
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  const opened = system.open(tunPath)
  if (opened === true) return { ...about, answer: 'yes', reason: `its mode is ${octal}` }
  if (opened === 'EACCES') {
    return {
      ...about,
      answer: 'no',
      reason: `${tunPath} has mode ${octal}, and you are user ${system.uid}`,
      advice: `Let everybody open it:  sudo chmod 0666 ${tunPath}`,
    }
  }
  if (opened === 'ENODEV' || opened === 'ENXIO') {
    return {
      ...about,
      answer: 'no',
      reason: 'the kernel has no TUN driver',
      advice: 'Load it:  sudo modprobe tun',
    }
  }
  return { ...about, answer: 'no', reason: `${opened}, mode ${octal}`, advice: containerAdvice(system) }
}

/** `undefined` outside Docker and Podman. */
export function containerAdvice(system: System): string | undefined {
  const inside = ['/.dockerenv', '/run/.containerenv'].some(path => system.mode(path) !== undefined)
  if (!inside) return undefined
  return 'This is a container. Start it with:  docker run --device /dev/net/tun --cap-add NET_ADMIN --cap-add SYS_ADMIN …'
}
