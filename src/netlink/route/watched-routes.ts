import type { IpFamily } from '../../address/index.js'
import { requireOptions } from '../../errors/index.js'
import { type Message, NLM_F } from '../core/index.js'
import { AF, RT_TABLE, RTM, RTNLGRP } from './constants.js'
import { type Route, readRoute } from './route.js'
import type { Routes } from './routes.js'
import { checkFamily, groupsOf, LinkStates, sameObject, type WatchedObject } from './watched-object.js'

/**
 * IPv4 routes vanish without a word when a link goes down or away, and their flags change with its carrier, when an address goes that their gateway or
 * preferred source belongs to, and with their nexthop object. Replaced routes are not told either, and those of IPv6
 * with several next hops are told in parts.
 */
export function watchedRoutes(
  filter: { table?: number | 'all' | undefined; family?: IpFamily | undefined },
  routes: Routes,
): WatchedObject<Route> {
  const { table = RT_TABLE.MAIN, family } = requireOptions('selection.routes', filter, ['table', 'family'])
  checkFamily('selection.routes.family', family)
  const states = new LinkStates()
  const own = groupsOf(family, RTNLGRP.IPV4_ROUTE, RTNLGRP.IPV6_ROUTE)
  return {
    groups: [...own, RTNLGRP.LINK, RTNLGRP.IPV4_IFADDR, RTNLGRP.NEXTHOP],
    list: () => routes.list({ table, family }),
    read(message) {
      const { type, flags, payload } = message
      if (type !== RTM.NEWROUTE && type !== RTM.DELROUTE) {
        return takesRoutes(message, states) ? { stale: true } : undefined
      }
      const number = payload.u8(0)
      if (number !== AF.INET && number !== AF.INET6) return undefined
      const item = readRoute(payload)
      if ((table !== 'all' && item.table !== table) || (family && item.family !== family)) return undefined
      const removed = type === RTM.DELROUTE
      if (removed) return { item, removed }
      // It joins another one.
      if (number === AF.INET6 && flags & NLM_F.APPEND) return { stale: true }
      return { item, removed, stale: (flags & NLM_F.REPLACE) !== 0 }
    },
    key: routeKey,
    same: sameObject,
    staleIfUnknown: true,
  }
}

function routeKey(route: Route): string {
  const { table, destination, source, type, tos, metric, gateway, link, nextHops, nextHopId } = route
  const hops = nextHops.map(hop => `${hop.gateway} ${hop.link} ${hop.weight}`)
  return `${table} ${destination} ${source ?? ''} ${type} ${tos ?? 0} ${metric ?? ''} ${gateway ?? ''} ${link ?? ''} ${nextHopId ?? ''} ${hops}`
}

function takesRoutes(message: Message, states: LinkStates): boolean {
  if (message.type === RTM.DELNEXTHOP) return true
  if (message.type === RTM.DELADDR) return message.payload.u8(0) === AF.INET
  return states.changed(message)
}
