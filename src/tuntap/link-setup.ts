import { NetloomError, SystemError } from '../errors/index.js'
import { NetlinkError } from '../netlink/core/index.js'
import { netloomAlias, RouteConnection } from '../netlink/route/index.js'
import type { DeviceNamespace } from './device-namespace.js'
import { type LinkOptions, linkKeys, type TuntapOptions } from './options.js'

interface Device {
  readonly name: string
  namespaceNow(): DeviceNamespace
  setPersist(persist: boolean): void
  close(): Promise<void>
}

/**
 * Applies what the options say of a device's link, through netlink in the device's own namespace. A device that
 * can't be set up as asked is closed again.
 */
export async function setUpLink<D extends Device>(device: D, options: TuntapOptions | undefined): Promise<D> {
  const { up = true, addresses = [], ...link } = pickLinkOptions(options)
  try {
    await using route = openRoute(device)
    const { index, up: isUp, tun, alias } = await route.links.get(device.name)
    // The kernel makes the link-local address when the link goes up, so that comes last.
    const given = Object.entries(link).map(([key, value]) => `${key}: ${value}`)
    if (given.length > 0) await explained(device, given.join(', '), () => route.links.change(index, link))
    for (const address of addresses) {
      // Nobody else is on this link yet who could have the address: no need to ask around.
      await route.addresses.ensure({ link: index, address, dad: 'skip' })
    }
    if (up !== isUp) {
      const advice = up ? 'up: true, the default; with up: false the link is left down' : 'up: false'
      await explained(device, advice, () => route.links.change(index, { up }))
    }
    // Last, so that what failed before goes with its descriptor.
    if (options?.persist && !tun?.persist) {
      if (!alias) await route.links.change(index, { alias: netloomAlias })
      device.setPersist(true)
    }
    return device
  } catch (error) {
    await device.close()
    throw missingMaster(error, options) ?? error
  }
}

/** What the kernel refuses is told of the device, with the options that asked for it. */
async function explained(device: Device, options: string, act: () => Promise<unknown>): Promise<void> {
  const { name } = device
  try {
    await act()
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error
    const { errno, syscall, request, kernelMessage } = error
    const right = error.code === 'EPERM' ? 'needs CAP_NET_ADMIN; ' : ''
    const hint = `${kernelMessage ? `${kernelMessage}; ` : ''}${right}asked for by ${options}`
    throw new SystemError({ errno, syscall, request, subject: name, hint, cause: error })
  }
}

function openRoute(device: Device): RouteConnection {
  using namespace = device.namespaceNow()
  return RouteConnection.open(namespace.reference)
}

function pickLinkOptions(options: LinkOptions | undefined): LinkOptions {
  const given = Object.entries(options ?? {}).filter(
    ([key, value]) => value !== undefined && (linkKeys as readonly string[]).includes(key),
  )
  return Object.fromEntries(given)
}

function missingMaster(error: unknown, options: LinkOptions | undefined): NetloomError | undefined {
  if (!(error instanceof NetloomError) || error.code !== 'ERR_LINK_NOT_FOUND') return undefined
  if (options?.master === undefined) return undefined
  return new NetloomError('ERR_LINK_NOT_FOUND', `there is no link ${options.master} to be the master`, {
    cause: error,
  })
}
