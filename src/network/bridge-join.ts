import { NetloomError } from '../errors/index.js'
import { DisposeStack, throwIfAborted } from '../lifecycle/index.js'
import {
  type Address,
  type AddressOptions,
  type Link,
  type LinkReference,
  type Route,
  type RouteConnection,
  type RouteOptions,
  routeOptionsOf,
} from '../netlink/route/index.js'

// /etc/iproute2/rt_protos: routes that the kernel makes with an address.
const kernelProtocol = 2
const localTable = 255

/** A link that joined a bridge with its addresses and routes, until that is undone. */
export interface BridgeJoin extends AsyncDisposable {
  readonly link: Link
  readonly bridge: Link
  /** Makes everything as it was, in reverse. Idempotent. */
  undo(): Promise<void>
}

/**
 * Makes a link the port of a bridge that takes over its addresses, routes, permanent neighbors and MAC address, so that
 * whoever reached the host through it still does. If a step fails everything is as it was before. Rules, filters
 * and programs that name the link go on naming it.
 * @throws NetloomError `ERR_INVALID_STATE` for what could not be moved, before anything is done; NetlinkError
 */
export async function joinBridge(
  route: RouteConnection,
  options: { link: LinkReference; bridge: LinkReference; signal?: AbortSignal | undefined },
): Promise<BridgeJoin> {
  const { signal } = options
  const link = await route.links.get(options.link, { signal })
  const bridge = await route.links.get(options.bridge, { signal })
  const addresses = await route.addresses.list({ link })
  const seen = performance.now()
  const routes = await movableRoutes(route, link)
  const neighbors = await route.neighbors.list({ link, state: 'permanent' })
  checkJoin(link, bridge, routes)
  throwIfAborted(signal)

  const undo = new DisposeStack()
  // They may go with the addresses: last of all they are there again.
  undo.defer(async () => {
    for (const { address, macAddress, router } of neighbors) {
      await route.neighbors.replace({ address, macAddress, router, link })
    }
  })
  try {
    // Absent where there is no IPv6 on the link.
    if (link.ipv6LinkLocal !== undefined) {
      await step(
        undo,
        () => route.links.change(link, { ipv6LinkLocal: 'none' }),
        () => route.links.change(link, { ipv6LinkLocal: link.ipv6LinkLocal }),
      )
    }
    await take(route, undo, link, addresses, routes, seen)
    throwIfAborted(signal)
    await step(
      undo,
      () => route.links.change(link, { master: bridge }),
      () => route.links.change(link, { master: null }),
    )
    // What others know of this host's MAC address stays true, whichever ports come later.
    await step(
      undo,
      () => route.links.change(bridge, { macAddress: link.macAddress, up: true }),
      () => route.links.change(bridge, { macAddress: bridge.macAddress, up: bridge.up }),
    )
    throwIfAborted(signal)
    await give(route, undo, bridge, addresses.filter(isGlobal), routes, link)
    for (const { address, macAddress, router } of neighbors) {
      await step(
        undo,
        () => route.neighbors.replace({ address, macAddress, router, link: bridge }),
        () => unless('ENOENT', route.neighbors.delete({ link: bridge, address })),
      )
      await unless('ENOENT', route.neighbors.delete({ link, address }))
    }
    throwIfAborted(signal)
  } catch (error) {
    await undo[Symbol.asyncDispose]()
    throw error
  }
  const stack = undo.move()
  const undoAll = () => stack[Symbol.asyncDispose]()
  return { link, bridge, undo: undoAll, [Symbol.asyncDispose]: undoAll }
}

async function step(
  undo: DisposeStack,
  act: () => Promise<unknown>,
  back: () => Promise<unknown>,
): Promise<void> {
  await act()
  undo.defer(back)
}

function checkJoin(link: Link, bridge: Link, routes: readonly Route[]): void {
  const refuse = (reason: string) =>
    new NetloomError('ERR_INVALID_STATE', `${link.name} cannot join ${bridge.name}: ${reason}`)
  if (bridge.kind !== 'bridge') throw refuse(`${bridge.name} is no bridge`)
  if (link.index === bridge.index) throw refuse('it is the bridge itself')
  if (link.master !== undefined) throw refuse('it is a port already')
  const lost = routes.find(({ raw, nextHopId }) => raw.length > 0 || nextHopId !== undefined)
  if (lost) throw refuse(`its route to ${lost.destination} has settings that could not be moved`)
}

/** Routes through the link that do not come with its addresses. */
async function movableRoutes(route: RouteConnection, link: Link): Promise<Route[]> {
  const all = await route.routes.list({ table: 'all' })
  return all.filter(
    each =>
      each.protocol !== kernelProtocol &&
      each.table !== localTable &&
      (each.link === link.index || each.nextHops.some(hop => hop.link === link.index)),
  )
}

function isGlobal(address: Address): boolean {
  return address.family === 4 || address.scope !== 'link'
}

/**
 * Takes everything from the link. The way back puts the addresses first, as routes lean on them; `seen`:
 * when their lifetimes were what they are here.
 */
async function take(
  route: RouteConnection,
  undo: DisposeStack,
  link: Link,
  addresses: readonly Address[],
  routes: readonly Route[],
  seen: number,
): Promise<void> {
  undo.defer(() => putRoutes(route, routes, link.index, link.index))
  // In their order: the first of a network is its primary one.
  undo.defer(async () => {
    const passed = Math.floor((performance.now() - seen) / 1000)
    for (const address of addresses) {
      const { validSeconds, preferredSeconds } = address
      if (validSeconds !== undefined && validSeconds <= passed) continue
      const options = {
        ...addressOptions(address),
        validSeconds: validSeconds && validSeconds - passed,
        preferredSeconds: preferredSeconds && Math.max(0, preferredSeconds - passed),
        label: address.label,
        link,
      }
      await unless('EEXIST', route.addresses.create(options))
    }
  })
  // Secondary addresses go with their primary one, or become primary.
  for (const address of [...addresses].reverse()) {
    const { address: text, peer } = addressOptions(address)
    await unless('EADDRNOTAVAIL', route.addresses.delete({ link, address: text, peer }))
  }
  // Those that did not go with the addresses.
  for (const each of routes) await unless('ESRCH', route.routes.delete(moved(each, link.index, link.index)))
}

/** Gives it to the bridge. */
async function give(
  route: RouteConnection,
  undo: DisposeStack,
  bridge: Link,
  addresses: readonly Address[],
  routes: readonly Route[],
  link: Link,
): Promise<void> {
  for (const address of addresses) {
    const options = addressOptions(address)
    await step(
      undo,
      () => route.addresses.create({ ...options, link: bridge }),
      () =>
        unless(
          'EADDRNOTAVAIL',
          route.addresses.delete({ link: bridge, address: options.address, peer: options.peer }),
        ),
    )
  }
  undo.defer(async () => {
    for (const each of routes)
      await unless('ESRCH', route.routes.delete(moved(each, link.index, bridge.index)))
  })
  await putRoutes(route, routes, link.index, bridge.index)
}

/** Several IPv4 routes may have one destination and metric: each is added to those that are there. */
async function putRoutes(
  route: RouteConnection,
  routes: readonly Route[],
  from: number,
  to: number,
): Promise<void> {
  // Gateways are reached by routes without one.
  const rank = ({ gateway, nextHops }: Route) => (gateway === undefined && nextHops.length === 0 ? 0 : 1)
  for (const each of [...routes].sort((a, b) => rank(a) - rank(b))) {
    const options = moved(each, from, to)
    if (each.family === 6) await route.routes.replace(options)
    else await unless('EEXIST', route.routes.append(options))
  }
}

function addressOptions(address: Address): Omit<AddressOptions, 'link'> {
  const { peer, broadcast, scope, metric, validSeconds, preferredSeconds } = address
  const { noPrefixRoute, home, manageTemporary, autoJoin, protocol } = address
  return {
    address: `${address.address}/${address.prefixLength}`,
    peer,
    broadcast,
    scope: address.family === 4 ? scope : undefined,
    noPrefixRoute,
    home,
    manageTemporary,
    autoJoin,
    protocol: protocol || undefined,
    metric,
    validSeconds,
    preferredSeconds,
    // It was in use a moment ago.
    dad: 'skip',
  }
}

function moved(route: Route, from: number, to: number): RouteOptions {
  const options = routeOptionsOf(route)
  const link = (index: LinkReference | undefined) => (index === from ? to : index)
  if (options.link !== undefined) options.link = link(options.link)
  if (options.nextHops) options.nextHops = options.nextHops.map(hop => ({ ...hop, link: link(hop.link) }))
  return options
}

/** An error that says that it is done already is none. */
async function unless(code: string, change: Promise<unknown>): Promise<void> {
  try {
    await change
  } catch (error) {
    if ((error as { code?: string }).code !== code) throw error
  }
}
