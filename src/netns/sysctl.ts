import { readFileSync, writeSync } from 'node:fs'
import { invalidArgumentType, invalidArgumentValue, NetloomError, SystemError } from '../errors/index.js'
import { closeDescriptor, openFileInside, withHint } from './handle.js'

/**
 * The kernel's settings for one network: `net.ipv4.ip_forward`, `net.ipv6.conf.eth0.accept_ra`, … Those whose name has
 * a dot within a part are written with slashes, as in sysctl(8): `net/ipv4/conf/eth0.5/forwarding`.
 */
export class Sysctl {
  readonly #fd: () => number

  /** @internal */
  constructor(fd: () => number) {
    this.#fd = fd
  }

  /**
   * The value as text, without the end of the line.
   * @throws NetloomError `ERR_SYSCTL_NOT_FOUND`; SystemError; TypeError
   */
  async get(name: string): Promise<string> {
    const fd = this.#openFile(name, false)
    try {
      return withHint('sysctl', name, () => readFileSync(fd, 'utf8')).trimEnd()
    } finally {
      closeDescriptor(fd)
    }
  }

  /**
   * @throws NetloomError `ERR_SYSCTL_NOT_FOUND`; SystemError `EINVAL` for a value that the kernel refuses, `EACCES`;
   * TypeError
   */
  async set(name: string, value: string | number | boolean): Promise<void> {
    const text = textOf(value)
    const fd = this.#openFile(name, true)
    try {
      withHint('sysctl', name, () => writeSync(fd, `${text}\n`))
    } finally {
      closeDescriptor(fd)
    }
  }

  #openFile(name: string, write: boolean): number {
    const path = pathOf(name)
    try {
      return withHint('sysctl', name, () => openFileInside(this.#fd(), path, write))
    } catch (error) {
      if (!(error instanceof SystemError) || (error.code !== 'ENOENT' && error.code !== 'ENOTDIR'))
        throw error
      throw new NetloomError('ERR_SYSCTL_NOT_FOUND', `this network has no setting ${name}`, { cause: error })
    }
  }
}

function pathOf(name: string): string {
  if (typeof name !== 'string') throw invalidArgumentType('name', 'a string', name)
  const parts = name.split(name.includes('/') ? '/' : '.')
  // Others are the system's, not the network's.
  if (
    parts[0] !== 'net' ||
    parts.length < 3 ||
    parts.some(part => !/^[^/\0]+$/.test(part) || /^\.+$/.test(part))
  ) {
    throw invalidArgumentValue('name', name, 'must be a setting of a network such as net.ipv4.ip_forward')
  }
  return `/proc/sys/${parts.join('/')}`
}

function textOf(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && !/[\n\0]/.test(value)) return value
  throw invalidArgumentType('value', 'a finite number, a boolean or a line of text', value)
}
