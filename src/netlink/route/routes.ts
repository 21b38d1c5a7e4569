import type { IpFamily } from '../../address/index.js'
import {
  invalidArgumentValue,
  NetloomError,
  requireInteger,
  requireObject,
  requireOptions,
} from '../../errors/index.js'
import {
  type NetlinkConnection,
  NetlinkError,
  payloadOf,
  type Request,
  RequestList,
  type WaitOptions,
} from '../core/index.js'
import type { Change } from './change.js'
import { RT_TABLE, RTM } from './constants.js'
import { deleteAll } from './delete-all.js'
import { ensure, firstUnlike } from './difference.js'
import { listObjects } from './dump.js'
import { indexOf, type LinkReference } from './link-reference.js'
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
  routeOptionsOf,
  routeQueryNames,
} from './route-request.js'
import { RouteView } from './route-view.js'
import { settle } from './settle.js'

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
    const { families, signal, ...wanted } = await this.#checkFilter(filter)
    const routes: Route[] = []
    for (const family of families) {
      for (const route of await this.#list(family, wanted, signal))
        if (passes(route, wanted)) routes.push(route)
    }
    return routes
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go, however many there are. In the
   * order of the kernel, IPv4 first.
   * @throws NetlinkError; TypeError, RangeError
   */
  async *stream(filter?: RouteFilter & WaitOptions): AsyncGenerator<Route, void, undefined> {
    let routes: Route[] = []
    for await (const _ of this.#pieces(filter, view => routes.push(view.record()))) {
      yield* routes
      routes = []
    }
  }

  /**
   * Visits all routes without making an object of each: the view decodes what is looked at, and is lent for the visit.
   * Gives how many there were.
   * @throws NetlinkError; TypeError, RangeError; what `visit` throws
   */
  async walk(visit: (route: RouteView) => void, filter?: RouteFilter & WaitOptions): Promise<number> {
    let count = 0
    const pieces = this.#pieces(filter, view => {
      count++
      visit(view)
    })
    for await (const _ of pieces);
    return count
  }

  /** Lets `take` see the routes that pass the filter; a step for each piece of the kernel's list. */
  async *#pieces(
    filter: (RouteFilter & WaitOptions) | undefined,
    take: (view: RouteView) => void,
  ): AsyncGenerator<void, void, undefined> {
    const { families, signal, ...wanted } = await this.#checkFilter(filter)
    for (const family of families) {
      let view: RouteView | undefined
      const stream = this.#connection.dumpStream({
        request: listRoutesRequest(family, wanted),
        operation: 'list routes',
        signal,
        onMessage: ({ type, payload }) => {
          if (type !== RTM.NEWROUTE) return
          view = view?.show(payload) ?? new RouteView(payload)
          if (passes(view, wanted)) take(view)
        },
      })
      try {
        while (await stream.read()) yield
        yield
      } catch (error) {
        if (!isNoTable(error)) throw error
      } finally {
        stream.close()
      }
    }
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
  create(options: RouteOptions & WaitOptions): Promise<void> {
    return this.#change('create', options)
  }

  /**
   * As {@link create}, but a route that is there as asked is accepted, whoever made it.
   * @throws NetloomError `ERR_OBJECT_MISMATCH`
   */
  async ensure(options: RouteOptions & WaitOptions): Promise<void> {
    const { signal, ...route } = requireOptions('options', options, changeOptions)
    const { nextHops, ...read } = readRoute(payloadOf((await this.#request('create', route)).request))
    // A next hop without a link has the one that leads to its gateway.
    const wanted = { ...read, nextHops: nextHops.map(hop => ({ ...hop, link: hop.link || undefined })) }
    const { destination: _, protocol: _protocol, link: _link, nextHops: _hops, ...asked } = route
    const key = { destination: wanted.destination, metric: wanted.metric, tos: wanted.tos }
    const unlike = (found: Route) => {
      const { link } = wanted
      const more = { ...(link !== undefined && { link }), ...(route.nextHops && { nextHops }) }
      return firstUnlike({ ...more, ...asked }, wanted, found)
    }
    const find = async () => {
      const table = wanted.table || RT_TABLE.MAIN
      const all = await this.list({ family: wanted.family, table, signal })
      const there = all.filter(found => firstUnlike(key, key, found) === undefined)
      return there.find(found => unlike(found) === undefined) ?? there[0]
    }
    await ensure(`the route ${route.destination}`, () => this.create(options), find, unlike)
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

  /**
   * Deletes those that {@link list} gives, whoever made them. Something has to be said of them but the family: of
   * all it would be the way out, too. @throws NetlinkError; TypeError, RangeError
   */
  async flush(filter: RouteFilter & WaitOptions): Promise<void> {
    const { link, protocol, table } = requireObject('filter', filter)
    if (link === undefined && protocol === undefined && table === undefined) {
      throw invalidArgumentValue('filter', filter, 'must have a link, a protocol or a table')
    }
    const doomed = new RequestList()
    for (const route of await this.list(filter)) {
      doomed.add(routeChange('delete', routeOptionsOf(route), link => indexOf(link as number)))
    }
    await deleteAll(this.#connection, doomed, 'ESRCH', filter)
  }

  async #change(verb: RouteVerb, options: RouteOptions & WaitOptions): Promise<void> {
    const { signal, ...route } = requireOptions('options', options, changeOptions)
    const { request, operation, subject } = await this.#request(verb, route)
    const isReplaced = verb === 'replace' || verb === 'change'
    await settle(
      () => this.#connection.request(request, { operation, subject, repeatable: isReplaced, signal }),
      async () => {
        // Of several, one that is there says nothing.
        if (verb === 'delete') return (await this.#isThere(request, signal)) ? undefined : true
        return verb === 'create' ? this.#isThere(request, signal) : undefined
      },
    )
  }

  async #request(verb: RouteVerb, route: RouteOptions): Promise<Change> {
    const references = [
      route.link,
      ...(Array.isArray(route.nextHops) ? route.nextHops : []).map(hop => hop?.link),
    ]
    return routeChange(verb, route, await this.#links.indexes(references))
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

  async #checkFilter(filter: (RouteFilter & WaitOptions) | undefined) {
    const { family, table, link, protocol, signal } = requireOptions('filter', filter, filterNames)
    if (family !== undefined && family !== 4 && family !== 6) {
      throw invalidArgumentValue('filter.family', family, 'must be 4 or 6')
    }
    if (protocol !== undefined) requireInteger('filter.protocol', protocol, 0, 255)
    return {
      families: family === undefined ? ([4, 6] as const) : [family],
      table:
        table === 'all' ? undefined : requireInteger('filter.table', table ?? RT_TABLE.MAIN, 1, 0xffff_ffff),
      link: link === undefined ? undefined : await this.#links.index(link),
      protocol,
      signal,
    }
  }

  async #list(family: IpFamily, wanted: WantedRoutes, signal: AbortSignal | undefined): Promise<Route[]> {
    return listObjects(this.#connection, {
      request: listRoutesRequest(family, wanted),
      operation: 'list routes',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWROUTE ? readRoute(payload) : undefined),
      none: noTable,
    })
  }
}

const filterNames = ['family', 'table', 'link', 'protocol', 'signal'] as const

interface WantedRoutes {
  table: number | undefined
  link: number | undefined
  protocol: number | undefined
}

/** Kernels that do not know a filter pass it over. */
function passes(route: Route | RouteView, { table, link, protocol }: WantedRoutes): boolean {
  if (table !== undefined && route.table !== table) return false
  if (protocol !== undefined && route.protocol !== protocol) return false
  if (link === undefined || route.link === link) return true
  const { nextHops } = route instanceof RouteView ? route.record() : route
  return nextHops.some(hop => hop.link === link)
}

// A table comes into being with its first route.
const noTable = ['ENOENT']

function isNoTable(error: unknown): boolean {
  return error instanceof NetlinkError && noTable.includes(error.code)
}
