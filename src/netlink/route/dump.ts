import { type Message, type NetlinkConnection, NetlinkError, type Request } from '../core/index.js'

export interface DumpOptions<T> {
  operation: string
  signal: AbortSignal | undefined
  /** What a message tells; `undefined` for one that is of something else. */
  read(message: Message): T | readonly T[] | undefined
  /** Errors by which the kernel says that there is none: an empty list. */
  none?: readonly string[] | undefined
}

/** The objects of a dump. What the kernel interrupted is listed anew. */
export async function dumpObjects<T extends object>(
  connection: NetlinkConnection,
  request: Request,
  { operation, signal, read, none }: DumpOptions<T>,
): Promise<T[]> {
  let objects: T[] = []
  try {
    await connection.dump(request, {
      operation,
      signal,
      onMessage: message => {
        const found = read(message)
        if (Array.isArray(found)) for (const each of found as readonly T[]) objects.push(each)
        else if (found !== undefined) objects.push(found as T)
      },
      onRestart: () => {
        objects = []
      },
    })
  } catch (error) {
    if (error instanceof NetlinkError && none?.includes(error.code)) return []
    throw error
  }
  return objects
}
