import { checkInterfaceName } from '../address/index.js'
import { NetloomError, requireOptions, SystemError } from '../errors/index.js'
import { RouteConnection } from '../netlink/route/index.js'
import type { NamespaceReference } from '../netns/index.js'
import { openMacvtapDevice } from './handle.js'

export interface MacvtapOptions {
  /** Of a link of kind `macvtap` or `ipvtap`. */
  name: string
  /** The namespace that the link is in; default the process's own. */
  in?: NamespaceReference
}

const hints: Readonly<Record<string, string>> = {
  'CLONE_NEWNS EPERM': 'a private view of sysfs needs CAP_SYS_ADMIN',
  'sysfs EPERM': 'sysfs of that network needs CAP_SYS_ADMIN where the network is',
  'sysfs ENOENT': 'sysfs does not tell the device of this link: the kernel may have no CONFIG_SYSFS',
  'macvtap EPERM': 'a device node needs CAP_MKNOD in the initial user namespace',
  'macvtap EACCES': 'device nodes can be opened in the initial user namespace only',
  'macvtap EBUSY': 'somebody else has it open',
}

/**
 * A descriptor for the frames of a macvtap.
 * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_LINK_MISMATCH` for a link of another kind; SystemError that says
 * which right is missing; TypeError
 */
export async function openMacvtap(options: MacvtapOptions): Promise<number> {
  const { name: given, in: reference } = requireOptions('options', options, ['name', 'in'])
  const name = checkInterfaceName(given)
  await using route = RouteConnection.open(reference)
  const { kind = 'a device', index } = await route.links.get(name)
  if (kind !== 'macvtap' && kind !== 'ipvtap') {
    throw new NetloomError('ERR_LINK_MISMATCH', `${name} is no macvtap: it is ${kind}`)
  }
  try {
    return openMacvtapDevice(reference, `/sys/class/net/${name}/tap${index}/dev`)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const { errno, syscall, request, code } = error
    throw new SystemError({
      errno,
      syscall,
      request,
      subject: name,
      hint: hints[`${request} ${code}`],
      cause: error,
    })
  }
}
