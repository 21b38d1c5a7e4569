import type { Message } from '../core/index.js'

/** What a message of the kernel's says about one kind of object. */
export interface Seen<T> {
  item?: T | undefined
  removed?: boolean | undefined
  /** A link that lives on in another namespace. */
  moved?: boolean | undefined
  /** Others may have changed, of which the kernel says nothing. */
  stale?: boolean | undefined
}

/** How a {@link Watch} follows one kind of object. */
export interface WatchedObject<T = unknown> {
  /** Multicast groups, RTNLGRP_*. */
  readonly groups: readonly number[]
  list(): Promise<T[]>
  /** `undefined`: nothing that concerns it. */
  read(message: Message): Seen<T> | undefined
  key(item: T): string | number
  /** Equal but for counters and timers; both have the same key. */
  same(a: T, b: T): boolean
  /** A removal of something unknown means that we know something else wrong. */
  readonly staleIfUnknown?: boolean | undefined
}
