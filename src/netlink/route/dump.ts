import { throwIfAborted } from '../../lifecycle/index.js'
import {
  type Message,
  type NetlinkConnection,
  NetlinkError,
  type Request,
  type RequestContext,
} from '../core/index.js'

/** What the kernel is asked for a list, and what of its answers is in it. */
export interface Listing<T extends object> extends RequestContext {
  request: Request
  signal: AbortSignal | undefined
  /** What a message tells; `undefined` for one that is of something else. */
  read(message: Message): T | readonly T[] | undefined
  /** Whether it is wanted: kernels that do not know a filter pass it over. */
  passes?(object: T): boolean
  /** Errors by which the kernel says that there is none: an empty list. */
  none?: readonly string[] | undefined
}

/** The objects of the listings, one after the other. What the kernel interrupted is listed anew. */
export async function listObjects<T extends object>(
  connection: NetlinkConnection,
  ...listings: readonly Listing<T>[]
): Promise<T[]> {
  const all: T[][] = []
  for (const listing of listings) {
    let objects: T[] = []
    const { request, operation, subject, signal } = listing
    try {
      await connection.dump(request, {
        operation,
        subject,
        signal,
        onMessage: message => takeObjects(listing, message, objects),
        onRestart: () => {
          objects = []
        },
      })
    } catch (error) {
      if (!saysNone(listing, error)) throw error
      objects = []
    }
    all.push(objects)
  }
  return all.length === 1 ? all[0]! : all.flat()
}

/** As {@link listObjects}, one by one: memory is bounded by what the kernel sends in one go. */
export async function* streamObjects<T extends object>(
  connection: NetlinkConnection,
  ...listings: readonly Listing<T>[]
): AsyncGenerator<T, void, undefined> {
  for (const listing of listings) {
    let objects: T[] = []
    const { request, operation, subject, signal } = listing
    const onMessage = (message: Message) => takeObjects(listing, message, objects)
    const stream = connection.dumpStream({ request, operation, subject, signal, onMessage })
    try {
      for (let more = true; more; ) {
        more = await stream.read()
        for (const object of objects) {
          throwIfAborted(signal)
          yield object
        }
        objects = []
      }
    } catch (error) {
      if (!saysNone(listing, error)) throw error
    } finally {
      stream.close()
    }
  }
}

function takeObjects<T extends object>(listing: Listing<T>, message: Message, objects: T[]): void {
  const found = listing.read(message)
  if (found === undefined) return
  for (const each of Array.isArray(found) ? (found as readonly T[]) : [found as T]) {
    if (listing.passes?.(each) ?? true) objects.push(each)
  }
}

function saysNone({ none = [] }: { none?: readonly string[] | undefined }, error: unknown): boolean {
  return error instanceof NetlinkError && none.includes(error.code)
}
