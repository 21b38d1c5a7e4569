import { statSync } from 'node:fs'
import { NetloomError, SystemError } from '../errors/index.js'

/** Why a device could not be opened, with what the reader can do about it. */
export function openError(error: unknown, kind: 'TAP' | 'TUN', name: string, elsewhere: boolean): unknown {
  if (!(error instanceof SystemError)) return error
  const { errno, syscall, request } = error
  const advice = hint(error, kind, elsewhere)
  // What went wrong on the way there has said of what already.
  if (!advice && error.subject !== undefined) return error
  const subject = syscall === 'open' ? undefined : name
  return new SystemError({ errno, syscall, request, subject, hint: advice, cause: error })
}

function hint(error: SystemError, kind: 'TAP' | 'TUN', elsewhere: boolean): string | undefined {
  const where = elsewhere ? 'the user namespace that owns that network namespace' : 'this network namespace'
  switch (`${error.request} ${error.code}`) {
    case '/dev/net/tun ENOENT':
    case '/dev/net/tun ENODEV':
    case '/dev/net/tun ENXIO':
      return 'the tun driver is not there: try "modprobe tun"; in a container pass --device /dev/net/tun'
    case '/dev/net/tun EACCES':
    case '/dev/net/tun EPERM':
      return `/dev/net/tun has mode ${deviceMode()}: it must be readable and writable for this user, as with "chmod 0666 /dev/net/tun"; in a container pass --device /dev/net/tun`
    case 'TUNSETIFF EPERM':
      return `needs CAP_NET_ADMIN in ${where}, or a persistent device with this user as its owner`
    case 'CLONE_NEWNET EPERM':
      return 'entering that network namespace needs CAP_SYS_ADMIN in the user namespace that owns it'
    case 'CLONE_NEWNET EINVAL':
      return 'what `in` refers to is no network namespace'
    case 'TUNSETIFF EBUSY':
      return 'a link of that name exists, or another descriptor holds this device, perhaps in a child process'
    case 'TUNSETIFF EINVAL':
      return `a link of that name exists that is no ${kind}, or differs in multiQueue`
    case 'TUNSETIFF E2BIG':
      return 'the device has all the queues it can have'
    case 'SIOCGIFINDEX ENODEV':
      return 'there is no such device; create() makes one'
    default:
      return undefined
  }
}

function deviceMode(): string {
  try {
    return (statSync('/dev/net/tun').mode & 0o777).toString(8).padStart(4, '0')
  } catch {
    return 'unknown'
  }
}

export function notADevice(fd: number, cause: unknown): NetloomError {
  return new NetloomError('ERR_INVALID_STATE', `descriptor ${fd} is no attached TUN or TAP device`, { cause })
}
