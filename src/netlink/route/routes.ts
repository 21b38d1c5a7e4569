import type { IpFamily } from '../../address/index.js'
import { invalidArgumentValue, NetloomError, requireInteger, requireOptions } from '../../errors/index.js'
import {
  type NetlinkConnection,
  NetlinkError,
  NLM_F,
  payloadOf,
  type Request,
  type WaitOptions,
} from '../core/index.js'
import { RT_TABLE, RTM } from './constants.js'
import type { LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { type Route, readRoute } from './route.js'
import {
  changeRouteRequest,
  listRoutesRequest,
  lookUpRouteRequest,
  type ResolvedRoute,
  type RouteOptions,
  type RouteQuery,
  routeOptions,
  routeQueryNames,
} from './route-request.js'
import { settle } from './settle.js'

export interface RouteFilter {
  family?: IpFamily | undefined
  /** Default 254, `main`; the kernel's own routes to local addresses are in 255. */
  table?: number | 'all' | undefined
  link?: LinkReference | undefined
  protocol?: number | undefined
}

const replyBytes = 4096

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
      repeatable: true,
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
  async create(options: RouteOptions & WaitOptions): Promise<void> {
    await this.#put('create', NLM_F.CREATE | NLM_F.EXCL, options)
  }

  /**
   * One more route to a destination, after those with the same metric. For IPv6, where routes of one metric are one
   * route of several next hops, it adds its next hops to these.
   */
  async append(options: RouteOptions & WaitOptions): Promise<void> {
    await this.#put('append', NLM_F.CREATE | NLM_F.APPEND, options)
  }

  /** IPv4: one more route to a destination, before those with the same metric. */
  async prepend(options: RouteOptions & WaitOptions): Promise<void> {
    await this.#put('prepend', NLM_F.CREATE, options)
  }

  /** As {@link replace}, but there has to be one. @throws NetlinkError `ENOENT` */
  async change(options: RouteOptions & WaitOptions): Promise<void> {
    await this.#put('change', NLM_F.REPLACE, options)
  }

  /**
   * As {@link create}, but takes the place of a route to the same destination with the same metric. For IPv6 it takes
   * the place of all its next hops: give all that it shall have.
   */
  async replace(options: RouteOptions & WaitOptions): Promise<void> {
    await this.#put('replace', NLM_F.CREATE | NLM_F.REPLACE, options)
  }

  /** The first route that is as described. @throws NetlinkError `ESRCH` when there is none */
  async delete(options: RouteOptions & WaitOptions): Promise<void> {
    const { signal, ...route } = requireOptions('options', options, [...routeOptions, 'signal'])
    const request = changeRouteRequest(RTM.DELROUTE, 0, await this.#resolve(route))
    await settle(
      () =>
        this.#connection.request(request, { operation: 'delete route', subject: route.destination, signal }),
      // There may have been several: one that is there says nothing.
      async () => ((await this.#isThere(request, signal)) ? undefined : true),
    )
  }

  async #put(operation: string, flags: number, options: RouteOptions & WaitOptions): Promise<void> {
    const { signal, ...route } = requireOptions('options', options, [...routeOptions, 'signal'])
    const request = changeRouteRequest(RTM.NEWROUTE, flags, await this.#resolve(route))
    await settle(
      () =>
        this.#connection.request(request, {
          operation: `${operation} route`,
          subject: route.destination,
          repeatable: (flags & NLM_F.REPLACE) !== 0,
          signal,
        }),
      async () => ((flags & NLM_F.EXCL) === 0 ? undefined : this.#isThere(request, signal)),
    )
  }

  /** Whether there is a route as in a request. */
  async #isThere(request: Request, signal: AbortSignal | undefined): Promise<boolean> {
    const wanted = readRoute(payloadOf(request))
    const { family, destination, metric, link, gateway, nextHops, nextHopId } = wanted
    const routes = await this.list({ family, table: wanted.table || RT_TABLE.MAIN, signal })
    return routes.some(
      route =>
        route.destination === destination &&
        (metric === undefined || route.metric === metric) &&
        (link === undefined || route.link === link) &&
        (gateway === undefined || route.gateway === gateway) &&
        (nextHopId === undefined || route.nextHopId === nextHopId) &&
        nextHops.every(hop =>
          route.nextHops.some(each => each.link === hop.link && each.gateway === hop.gateway),
        ),
    )
  }

  async #resolve(options: RouteOptions): Promise<ResolvedRoute> {
    const { link, nextHops, ...rest } = options
    const index = async (reference: LinkReference | undefined) =>
      reference === undefined ? undefined : this.#links.index(reference)
    const resolved: ResolvedRoute = { ...rest, link: await index(link) }
    if (nextHops !== undefined) {
      resolved.nextHops = await Promise.all(
        nextHops.map(async hop => ({ ...hop, link: await index(hop.link) })),
      )
    }
    return resolved
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
