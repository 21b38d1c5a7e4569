/** Node's shape of an abort: name `AbortError`, code `ABORT_ERR`, the signal's reason as cause. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason })
  error.name = 'AbortError'
  return Object.assign(error, { code: 'ABORT_ERR' })
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}

/** Calls `listener` once when the signal aborts; the returned function takes it back. */
export function onAbort(signal: AbortSignal | undefined, listener: (error: Error) => void): () => void {
  if (!signal) return () => {}
  const run = () => listener(abortError(signal))
  if (signal.aborted) {
    run()
    return () => {}
  }
  signal.addEventListener('abort', run, { once: true })
  return () => signal.removeEventListener('abort', run)
}
