import { onAbort } from './abort.js'

/** The promise, or a rejection with `AbortError` when the signal aborts first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const undo = onAbort(signal, reject)
    promise.then(resolve, reject).finally(undo)
  })
}
