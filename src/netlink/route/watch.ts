import { EventQueue } from '../../lifecycle/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import { type Message, NETLINK, NetlinkMonitor, type WaitOptions } from '../core/index.js'
import type { WatchedObject } from './watched-object.js'
import type { Objects, WatchedObjects } from './watched-objects.js'

/** One object that came, went, or differs now in something other than counters and timers. */
export type WatchChange<N extends keyof Objects = keyof Objects> = {
  [K in N]:
    | { type: 'added'; object: K; item: Objects[K] }
    | { type: 'changed'; object: K; item: Objects[K]; previous: Objects[K] }
    /** `moved`: a link that lives on in another namespace. */
    | { type: 'removed'; object: K; item: Objects[K]; moved: boolean }
}[N]

/** All objects of the kinds that are watched. */
export type WatchState<N extends keyof Objects = keyof Objects> = { readonly [K in N]: readonly Objects[K][] }

export type WatchEvent<N extends keyof Objects = keyof Objects> =
  /** The first event: what is there. */
  | { type: 'state'; state: WatchState<N> }
  /**
   * Events were lost: this is what is there now. `changes`: how it differs from what was told before, where it was the
   * kernel that lost them; where it was for want of reading, that is not known.
   */
  | { type: 'resync'; state: WatchState<N>; changes: readonly WatchChange<N>[] | undefined }
  | WatchChange<N>

export interface WatchOptions extends WaitOptions {
  /** Events that may wait to be read. Default 1024; then a `resync` takes their place. */
  limit?: number | undefined
}

interface Table {
  readonly name: keyof Objects
  readonly watched: WatchedObject
  readonly items: Map<string | number, unknown>
  /** Messages that came while a list was being made. */
  pending: (() => void)[] | undefined
  /** To be listed anew. */
  stale: boolean
}

/**
 * Objects of a namespace as they change: what is there first, then differences, in order. What the kernel takes away
 * without a word, as IPv4 routes over a link that goes down, is found by listing anew. An abort ends it at once. It
 * keeps the process alive until it is closed, unless `unref()` is called.
 */
export class Watch<N extends keyof Objects = keyof Objects> implements AsyncIterableIterator<WatchEvent<N>> {
  readonly #queue: EventQueue<WatchEvent<N>>
  readonly #monitor: NetlinkMonitor
  readonly #tables: Table[]
  #started = false
  #refreshing = false
  #lost = false
  #recheck: NodeJS.Immediate | undefined

  /** @internal */
  constructor(
    namespace: NamespaceReference | undefined,
    objects: Pick<WatchedObjects, N>,
    options: WatchOptions,
  ) {
    const entries = Object.entries(objects) as [keyof Objects, WatchedObject][]
    this.#tables = entries.map(([name, watched]) => ({
      name,
      watched,
      items: new Map(),
      pending: [],
      stale: true,
    }))
    this.#queue = new EventQueue<WatchEvent<N>>({
      limit: options.limit ?? 1024,
      onOverflow: () => ({ type: 'resync', state: this.#state(), changes: undefined }),
      signal: options.signal,
    })
    try {
      this.#monitor = new NetlinkMonitor({
        in: namespace,
        protocol: NETLINK.ROUTE,
        groups: [...new Set(this.#tables.flatMap(({ watched }) => [...watched.groups]))],
        onMessage: message => this.#take(message),
        onOverflow: () => this.#lose(),
        onError: error => this.#queue.fail(error),
      })
    } catch (error) {
      this.#queue.end()
      throw error
    }
    this.#queue.onEnd(() => {
      this.#monitor.close()
      clearImmediate(this.#recheck)
    })
    void this.#refresh()
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

  next(): Promise<IteratorResult<WatchEvent<N>>> {
    return this.#queue.next()
  }

  return(): Promise<IteratorResult<WatchEvent<N>>> {
    return this.#queue.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Messages were lost: nothing that is known can be relied on. */
  #lose(): void {
    this.#lost = true
    for (const table of this.#tables) {
      table.stale = true
      if (table.pending) table.pending = []
    }
    void this.#refresh()
  }

  /** Lists anew what is stale, one round after the other until nothing is; what comes meanwhile is applied after it. */
  async #refresh(): Promise<void> {
    if (this.#refreshing) return
    this.#refreshing = true
    try {
      for (;;) {
        const tables = this.#tables.filter(({ stale }) => stale)
        if (tables.length === 0 || this.#queue.ended) break
        const lost = this.#lost
        this.#lost = false
        for (const table of tables) {
          table.stale = false
          table.pending = []
        }
        const lists = await Promise.all(tables.map(({ watched }) => watched.list()))
        if (this.#queue.ended) return
        this.#apply(tables, lists, lost)
      }
    } catch (error) {
      this.#queue.fail(error)
    } finally {
      this.#refreshing = false
    }
  }

  #apply(tables: Table[], lists: unknown[][], lost: boolean): void {
    const changes: WatchChange<N>[] = []
    // A queue that is full tells what was there before the change, so it is told before it is made.
    const tell = (change: WatchChange<N>) => {
      if (this.#started && !lost) this.#queue.push(change)
      else changes.push(change)
    }
    for (const [i, table] of tables.entries()) this.#replace(table, lists[i]!, tell)
    if (!this.#started) this.#queue.push({ type: 'state', state: this.#state() })
    else if (lost) this.#queue.push({ type: 'resync', state: this.#state(), changes })
    this.#started = true
    const pending = tables.flatMap(table => table.pending ?? [])
    for (const table of tables) table.pending = undefined
    for (const apply of pending) apply()
  }

  #replace(table: Table, items: unknown[], tell: (change: WatchChange<N>) => void): void {
    const { watched } = table
    const fresh = new Map(items.map(item => [watched.key(item), item]))
    for (const [key, item] of table.items) {
      if (fresh.has(key)) continue
      tell(changeOf({ type: 'removed', object: table.name, item, moved: false }))
      table.items.delete(key)
    }
    for (const item of fresh.values()) this.#put(table, item, tell)
  }

  #state(): WatchState<N> {
    const state: Partial<Record<keyof Objects, unknown[]>> = {}
    for (const { name, items } of this.#tables) state[name] = [...items.values()]
    return state as WatchState<N>
  }

  #take(message: Message): void {
    for (const table of this.#tables) {
      const seen = table.watched.read(message)
      if (!seen) continue
      if (seen.stale) this.#markStale(table)
      if (seen.item === undefined) continue
      const { item, removed = false, moved = false } = seen
      const apply = removed ? () => this.#remove(table, item, moved) : () => this.#put(table, item)
      if (table.pending) table.pending.push(apply)
      else apply()
    }
  }

  #put(table: Table, item: unknown, tell = (change: WatchChange<N>) => this.#queue.push(change)): void {
    const key = table.watched.key(item)
    const previous = table.items.get(key)
    // A queue that is full tells what was there before this event, then the event.
    if (previous === undefined) tell(changeOf({ type: 'added', object: table.name, item }))
    else if (!table.watched.same(previous, item)) {
      tell(changeOf({ type: 'changed', object: table.name, item, previous }))
    }
    table.items.set(key, item)
  }

  #remove(table: Table, item: unknown, moved: boolean): void {
    const key = table.watched.key(item)
    const known = table.items.get(key)
    if (known === undefined) {
      if (table.watched.staleIfUnknown) this.#markStale(table)
      return
    }
    this.#queue.push(changeOf({ type: 'removed', object: table.name, item: known, moved }))
    table.items.delete(key)
  }

  /** It will be listed anew: once for all that the kernel tells in one go. */
  #markStale(table: Table): void {
    table.stale = true
    this.#recheck ??= setImmediate(() => {
      this.#recheck = undefined
      void this.#refresh()
    })
  }
}

function changeOf<N extends keyof Objects>(change: {
  type: 'added' | 'changed' | 'removed'
  object: keyof Objects
  item: unknown
  previous?: unknown
  moved?: boolean
}): WatchChange<N> {
  return change as WatchChange<N>
}
