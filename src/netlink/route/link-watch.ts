import { EventQueue } from '../../lifecycle/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import { type Message, NETLINK, NetlinkMonitor, type WaitOptions } from '../core/index.js'
import { AF, RTM, RTNLGRP } from './constants.js'
import { hasMoved, type Link, readLink } from './link.js'

/** What happened to the links of a namespace. */
export type LinkEvent =
  /** The first event: what is there. */
  | { type: 'state'; links: Link[] }
  | { type: 'added'; link: Link }
  /** Something other than its counters differs. */
  | { type: 'changed'; link: Link; previous: Link }
  /** `moved`: it lives on in another namespace. */
  | { type: 'removed'; link: Link; moved: boolean }
  /** Events were lost, by the kernel or for want of reading: this is what is there now. */
  | { type: 'resync'; links: Link[] }

export interface LinkWatchOptions extends WaitOptions {
  /** Only the link of this index. */
  index?: number | undefined
  /** Events that may wait to be read. Default 1024. */
  limit?: number | undefined
}

/**
 * The links of a namespace as they change: what is there first, then differences, in order. An abort ends it at
 * once. It keeps the process alive until it is closed, unless `unref()` is called.
 */
export class LinkWatch implements AsyncIterableIterator<LinkEvent> {
  readonly #queue: EventQueue<LinkEvent>
  readonly #monitor: NetlinkMonitor
  readonly #list: () => Promise<Link[]>
  readonly #index: number | undefined
  readonly #links = new Map<number, Link>()
  /** Messages that came while a list was being made. */
  #pending: (() => void)[] | undefined
  #started = false

  constructor(
    namespace: NamespaceReference | undefined,
    list: () => Promise<Link[]>,
    options: LinkWatchOptions,
  ) {
    this.#list = list
    this.#index = options.index
    this.#queue = new EventQueue<LinkEvent>({
      limit: options.limit ?? 1024,
      onOverflow: () => ({ type: 'resync', links: [...this.#links.values()] }),
      signal: options.signal,
    })
    try {
      this.#monitor = new NetlinkMonitor({
        in: namespace,
        protocol: NETLINK.ROUTE,
        groups: [RTNLGRP.LINK],
        onMessage: message => this.#take(message),
        onOverflow: () => void this.#synchronize(),
        onError: error => this.#queue.fail(error),
      })
    } catch (error) {
      this.#queue.end()
      throw error
    }
    this.#queue.onEnd(() => this.#monitor.close())
    void this.#synchronize()
  }

  ref(): this {
    this.#monitor.ref()
    return this
  }

  unref(): this {
    this.#monitor.unref()
    return this
  }

  /** Runs once, when the watch ends for whatever reason. */
  onEnd(listener: () => void): void {
    this.#queue.onEnd(listener)
  }

  close(): void {
    void this.#queue.return()
  }

  next(): Promise<IteratorResult<LinkEvent>> {
    return this.#queue.next()
  }

  return(): Promise<IteratorResult<LinkEvent>> {
    return this.#queue.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Lists what is there; what the monitor heard meanwhile comes after it. */
  async #synchronize(): Promise<void> {
    // A list under way will be followed by another.
    const pending: (() => void)[] = []
    this.#pending = pending
    try {
      const links = await this.#list()
      if (this.#pending !== pending || this.#queue.ended) return
      this.#links.clear()
      for (const link of links) if (this.#wants(link.index)) this.#links.set(link.index, link)
      this.#pending = undefined
      const type = this.#started ? 'resync' : 'state'
      this.#started = true
      this.#queue.push({ type, links: [...this.#links.values()] })
      for (const apply of pending) apply()
    } catch (error) {
      this.#queue.fail(error)
    }
  }

  #wants(index: number): boolean {
    return this.#index === undefined || this.#index === index
  }

  #take(message: Message): void {
    const { type, payload } = message
    if (type !== RTM.NEWLINK && type !== RTM.DELLINK) return
    // A bridge tells of its ports with messages of its own, a removal being of the port from the bridge.
    if (payload.u8(0) === AF.BRIDGE || !this.#wants(payload.s32(4))) return
    const link = readLink(payload)
    const moved = type === RTM.DELLINK && hasMoved(payload)
    const apply = type === RTM.NEWLINK ? () => this.#put(link) : () => this.#remove(link, moved)
    if (this.#pending) this.#pending.push(apply)
    else apply()
  }

  #put(link: Link): void {
    const previous = this.#links.get(link.index)
    // A queue that is full tells what was there before this event, then the event.
    if (!previous) this.#queue.push({ type: 'added', link })
    else if (!sameLink(previous, link)) this.#queue.push({ type: 'changed', link, previous })
    this.#links.set(link.index, link)
  }

  #remove(link: Link, moved: boolean): void {
    const known = this.#links.get(link.index)
    if (!known) return
    this.#queue.push({ type: 'removed', link: known, moved })
    this.#links.delete(link.index)
  }
}

// Counters and timers move all the time.
const volatileKeys = new Set([
  'statistics',
  'raw',
  'carrierChanges',
  'carrierUpCount',
  'carrierDownCount',
  'learnedAddresses',
])

export function sameLink(a: Link, b: Link): boolean {
  return (Object.keys(b) as (keyof Link)[]).every(
    key => a[key] === b[key] || volatileKeys.has(key) || stable(a[key]) === stable(b[key]),
  )
}

function stable(value: unknown): string | undefined {
  return JSON.stringify(value, (name, each) => {
    if (volatileKeys.has(name) || /timerMs$/i.test(name)) return undefined
    return typeof each === 'bigint' ? String(each) : each
  })
}
