import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkInterfaceName } from '../address/index.js'
import { NetloomError, requireOptions, SystemError } from '../errors/index.js'
import { RouteConnection } from '../netlink/route/index.js'
import { Namespace, type NamespaceReference, namespaceDescriptor } from '../netns/index.js'
import { duplicateDescriptor } from './handle.js'

export interface MacvtapOptions {
  /** Of a link of kind `macvtap` or `ipvtap`. */
  name: string
  /** The namespace that the link is in; default the process's own. */
  in?: NamespaceReference
}

// Names in /dev/tapN collide between namespaces, so that the device's number is read where the link is: in a sysfs that
// is mounted there, which nobody else sees. A node of that number is made, opened, and taken away.
const script = `
mount -t sysfs sysfs /sys || exit 81
set -- "$1" "$2" "/sys/class/net/$1"/tap*/dev
[ -e "$3" ] || exit 82
IFS=: read -r major minor <"$3"
mknod -m 600 "$2" c "$major" "$minor" || exit 83`

const failures: Readonly<Record<number, { syscall: string; hint: string }>> = {
  1: { syscall: 'unshare', hint: 'a private view of sysfs needs CAP_SYS_ADMIN' },
  81: { syscall: 'mount', hint: 'sysfs of that network needs CAP_SYS_ADMIN where the network is' },
  83: { syscall: 'mknod', hint: 'a device node needs CAP_MKNOD in the initial user namespace' },
}

/**
 * A descriptor for the frames of a macvtap.
 * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_LINK_MISMATCH` for a link of another kind, `ERR_UNSUPPORTED` without
 * sysfs; SystemError that says which right is missing; TypeError
 */
export async function openMacvtap(options: MacvtapOptions): Promise<number> {
  const { name: given, in: reference } = requireOptions('options', options, ['name', 'in'])
  const name = checkInterfaceName(given)
  await checkKind(name, reference)
  const directory = mkdtempSync(join(tmpdir(), 'netloom-'))
  try {
    const node = join(directory, 'tap')
    await makeNode(name, reference, node)
    return openNode(name, node)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function checkKind(name: string, reference: NamespaceReference | undefined): Promise<void> {
  await using route = RouteConnection.open(reference)
  const { kind = 'a device' } = await route.links.get(name)
  if (kind !== 'macvtap' && kind !== 'ipvtap') {
    throw new NetloomError('ERR_LINK_MISMATCH', `${name} is no macvtap: it is ${kind}`)
  }
}

async function makeNode(
  name: string,
  reference: NamespaceReference | undefined,
  node: string,
): Promise<void> {
  await using namespace = await openNamespace(reference)
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', name, node]
  const { code, stderr } = await namespace.exec('unshare', args, { reject: false })
  if (code === 0) return
  const said = stderr.trim().split('\n').at(-1)
  const failure = failures[code ?? 0]
  if (failure) {
    const { syscall, hint } = failure
    throw new SystemError({ errno: -1, syscall, subject: name, hint: said ? `${hint}; ${said}` : hint })
  }
  throw new NetloomError(
    'ERR_UNSUPPORTED',
    `sysfs does not tell the device of ${name}${said ? `: ${said}` : ''}`,
  )
}

async function openNamespace(reference: NamespaceReference | undefined): Promise<Namespace> {
  if (reference === undefined) return Namespace.open('current')
  using namespace = namespaceDescriptor(reference)
  return await Namespace.open({ fd: namespace.fd })
}

function openNode(name: string, node: string): number {
  try {
    // Node closes the descriptors of a worker's `fs` with the worker: ours is a copy that it knows nothing of.
    const file = openSync(node, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      return duplicateDescriptor(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { errno = -1, code } = error as NodeJS.ErrnoException
    const hint =
      code === 'EBUSY'
        ? 'somebody else has it open'
        : code === 'EACCES'
          ? `devices cannot be opened in ${tmpdir()}: it is mounted with nodev; TMPDIR may name another place`
          : undefined
    throw new SystemError({ errno, syscall: 'open', request: 'macvtap', subject: name, hint, cause: error })
  }
}
