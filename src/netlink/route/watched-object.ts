import type { IpFamily } from '../../address/index.js'
import { invalidArgumentValue } from '../../errors/index.js'
import type { Message, Payload } from '../core/index.js'
import { AF, IFF, RTM } from './constants.js'

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

export function groupsOf(family: IpFamily | undefined, four: number, six: number): number[] {
  return family === 4 ? [four] : family === 6 ? [six] : [four, six]
}

export function checkFamily(name: string, family: IpFamily | undefined): void {
  if (family !== undefined && family !== 4 && family !== 6) {
    throw invalidArgumentValue(name, family, 'must be 4 or 6')
  }
}

// Counters and timers, which move all the time.
const volatileKeys = new Set([
  'statistics',
  'raw',
  'carrierChanges',
  'carrierUpCount',
  'carrierDownCount',
  'learnedAddresses',
  'validSeconds',
  'preferredSeconds',
  'expiresSeconds',
  'usedMs',
  'updatedMs',
])

/** Equal in all that does not move by itself. */
export function sameObject<T extends object>(a: T, b: T): boolean {
  // Either may have what the other lacks.
  return (Object.keys({ ...a, ...b }) as (keyof T & string)[]).every(
    key => a[key] === b[key] || volatileKeys.has(key) || stable(a[key]) === stable(b[key]),
  )
}

function stable(value: unknown): string | undefined {
  if (typeof value !== 'object') return String(value)
  return JSON.stringify(value, (name, each) => {
    if (volatileKeys.has(name) || /timerMs$/i.test(name)) return undefined
    return typeof each === 'bigint' ? String(each) : each
  })
}

/** An object of which the kernel tells by two types of messages, whose payload is all that there is to it. */
export interface PlainObject<T> {
  readonly groups: readonly number[]
  /** RTM_NEW… and RTM_DEL…; */
  readonly added: number
  readonly removed: number
  list(): Promise<T[]>
  read(payload: Payload): T | undefined
  wants?(item: T): boolean
  key(item: T): string | number
  /** True if another may have made way for it, of which the kernel does not tell. */
  replaces?(item: T): boolean
  /** True if some may have gone with what the message tells of. */
  takesAway?(message: Message): boolean
}

export function watchPlain<T extends object>(plain: PlainObject<T>): WatchedObject<T> {
  return {
    groups: plain.groups,
    async list() {
      const items = await plain.list()
      return plain.wants ? items.filter(item => plain.wants!(item)) : items
    },
    read(message) {
      if (message.type !== plain.added && message.type !== plain.removed) {
        return plain.takesAway?.(message) ? { stale: true } : undefined
      }
      const item = plain.read(message.payload)
      if (!item) return undefined
      // What is not wanted any more is as good as gone.
      const removed = message.type === plain.removed || plain.wants?.(item) === false
      return { item, removed, stale: plain.replaces?.(item) }
    },
    key: plain.key,
    same: sameObject,
  }
}

/** Tells by the messages about links when one went up, down or away, or its carrier came or went. */
export class LinkStates {
  readonly #states = new Map<number, number>()

  /** True if the message tells of that; also of a link that is new to it. */
  changed({ type, payload }: Message): boolean {
    if ((type !== RTM.NEWLINK && type !== RTM.DELLINK) || payload.u8(0) === AF.BRIDGE) return false
    const index = payload.s32(4)
    if (type === RTM.DELLINK) {
      this.#states.delete(index)
      return true
    }
    const state = payload.u32(8) & (IFF.UP | IFF.RUNNING | IFF.LOWER_UP)
    if (this.#states.get(index) === state) return false
    this.#states.set(index, state)
    return true
  }
}
