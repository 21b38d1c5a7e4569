import type { IpFamily } from '../../address/index.js'
import { invalidArgumentValue, NetloomError, requireInteger, requireOptions } from '../../errors/index.js'
import { type NetlinkConnection, NetlinkError, type WaitOptions } from '../core/index.js'
import { RT_TABLE, RTM } from './constants.js'
import type { LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { type Route, readRoute } from './route.js'
import {
  listRoutesRequest,
  lookUpRouteRequest,
  type RouteOptions,
  type RouteQuery,
  type RouteVerb,
  routeChange,
  routeOptions,
  routeQueryNames,
} from './route-request.js'

export interface RouteFilter {
  family?: IpFamily | undefined
  /** Default 254, `main`; the kernel's own routes to local addresses are in 255. */
  table?: number | 'all' | undefined
  link?: LinkReference | undefined
  protocol?: number | undefined
}

const replyBytes = 4096
const changeOptions = [...routeOptions, 'signal'] as const

/** The routes of one namespace. */
export class Routes {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  async list(filter?: RouteFilter & WaitOptions): Promise<Route[]> {
    const names = ['family', 'table', 'link', 'protocol', 'signal'] as const
    const { family, table: given, link, protocol, signal } = requireOptions('filter', filter, names)
    if (family !== undefined && family !== 4 && family !== 6) {
      throw invalidArgumentValue('filter.family', family, 'must be 4 or 6')
    }
    const table =
      given === 'all' ? undefined : requireInteger('filter.table', given ?? RT_TABLE.MAIN, 1, 0xffff_ffff)
    const index = link === undefined ? undefined : await this.#links.index(link)
    const routes: Route[] = []
    for (const each of family === undefined ? ([4, 6] as const) : [family]) {
      for (const route of await this.#list(each, { table, link: index, protocol }, signal)) {
        // Kernels that do not know a filter pass it over.
        if (table !== undefined && route.table !== table) continue
        if (protocol !== undefined && route.protocol !== protocol) continue
        if (index !== undefined && route.link !== index && !route.nextHops.some(hop => hop.link === index))
          continue
        routes.push(route)
      }
    }
    return routes
  }

  /** The route that a packet to `address` would take: `ip route get`. @throws NetlinkError `ENETUNREACH`, … */
  async get(address: string, query?: RouteQuery & WaitOptions): Promise<Route> {
    const names = [...routeQueryNames, 'signal'] as const
    const { signal, outputLink, inputLink, ...rest } = requireOptions('query', query, names)
    const links: { outputLink?: number; inputLink?: number } = {}
    if (outputLink !== undefined) links.outputLink = await this.#links.index(outputLink)
    if (inputLink !== undefined) links.inputLink = await this.#links.index(inputLink)
    let route: Route | undefined
    await this.#connection.request(lookUpRouteRequest(address, { ...rest, ...links }), {
      operation: 'look up route',
      subject: address,
      replyBytes,
      signal,
      onMessage: message => {
        if (message.type === RTM.NEWROUTE) route = readRoute(message.payload)
      },
    })
    if (!route) throw new NetloomError('ERR_NETLINK_PROTOCOL', `look up route ${address}: no answer`)
    return route
  }

  /** {@link get} without more said of the packet. */
  lookUp(address: string, options?: WaitOptions): Promise<Route> {
    return this.get(address, { signal: options?.signal })
  }

  /** @throws NetlinkError `EEXIST`, `ENETUNREACH` for a gateway that no link reaches, …; TypeError, RangeError */
  create(options: RouteOptions & WaitOptions): Promise<void> {
    return this.#change('create', options)
  }

  /**
   * One more route to a destination, after those with the same metric. For IPv6, where routes of one metric are one
   * route of several next hops, it adds its next hops to these.
   */
  append(options: RouteOptions & WaitOptions): Promise<void> {
    return this.#change('append', options)
  }

  /** IPv4: one more route to a destination, before those with the same metric. */
  prepend(options: RouteOptions & WaitOptions): Promise<void> {
    return this.#change('prepend', options)
  }

  /** As {@link replace}, but there has to be one. @throws NetlinkError `ENOENT` */
  change(options: RouteOptions & WaitOptions): Promise<void> {
    return this.#change('change', options)
  }

  /**
   * As {@link create}, but takes the place of a route to the same destination with the same metric. For IPv6 it takes
   * the place of all its next hops: give all that it shall have.
   */
  replace(options: RouteOptions & WaitOptions): Promise<void> {
    return this.#change('replace', options)
  }

  /** The first route that is as described. @throws NetlinkError `ESRCH` when there is none */
  delete(options: RouteOptions & WaitOptions): Promise<void> {
    return this.#change('delete', options)
  }

  async #change(verb: RouteVerb, options: RouteOptions & WaitOptions): Promise<void> {
    const { signal, ...route } = requireOptions('options', options, changeOptions)
    const references = [
      route.link,
      ...(Array.isArray(route.nextHops) ? route.nextHops : []).map(hop => hop?.link),
    ]
    const index = await this.#links.indexes(references)
    const { request, operation, subject } = routeChange(verb, route, index)
    await this.#connection.request(request, { operation, subject, signal })
  }

  async #list(
    family: IpFamily,
    filter: { table: number | undefined; link: number | undefined; protocol: number | undefined },
    signal: AbortSignal | undefined,
  ): Promise<Route[]> {
    let routes: Route[] = []
    try {
      await this.#connection.dump(listRoutesRequest(family, filter), {
        operation: 'list routes',
        signal,
        onMessage: message => {
          if (message.type === RTM.NEWROUTE) routes.push(readRoute(message.payload))
        },
        onRestart: () => {
          routes = []
        },
      })
    } catch (error) {
      // A table comes into being with its first route.
      if (error instanceof NetlinkError && error.code === 'ENOENT') return []
      throw error
    }
    return routes
  }
}
