import { invalidArgumentType } from '../errors/index.js'

/** Node's shape of an abort: name `AbortError`, code `ABORT_ERR`, the signal's reason as cause. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason })
  error.name = 'AbortError'
  return Object.assign(error, { code: 'ABORT_ERR' })
}

/** @throws TypeError for what is no signal */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgumentType('signal', 'an instance of AbortSignal', signal)
}

/** @throws AbortError; TypeError for what is no signal */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  checkSignal(signal)
  if (signal?.aborted) throw abortError(signal)
}

/** Calls `listener` once when the signal aborts; the returned function takes it back. @throws TypeError for what is no signal */
export function onAbort(signal: AbortSignal | undefined, listener: (error: Error) => void): () => void {
  checkSignal(signal)
  if (!signal) return () => {}
  if (signal.aborted) {
    listener(abortError(signal))
    return () => {}
  }
  const waiting = waitingFor.get(signal) ?? new Waiting(signal)
  return waiting.add(listener)
}

type AbortListener = (error: Error) => void

/**
 * All that waits for one signal, behind one listener of it: a thousand waits would be a list to search at the end of
 * each, and Node takes many listeners for a leak.
 */
class Waiting {
  readonly #signal: AbortSignal
  readonly #listeners = new Map<symbol, AbortListener>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(listener: AbortListener): () => void {
    if (this.#listeners.size === 0) {
      waitingFor.set(this.#signal, this)
      this.#signal.addEventListener('abort', this.#run, { once: true })
    }
    const key = Symbol()
    this.#listeners.set(key, listener)
    return () => {
      if (!this.#listeners.delete(key) || this.#listeners.size > 0) return
      waitingFor.delete(this.#signal)
      this.#signal.removeEventListener('abort', this.#run)
    }
  }

  readonly #run = () => {
    waitingFor.delete(this.#signal)
    for (const [key, listener] of this.#listeners) {
      this.#listeners.delete(key)
      try {
        listener(abortError(this.#signal))
      } catch (error) {
        // As an EventTarget does it: the others are told all the same.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

const waitingFor = new WeakMap<AbortSignal, Waiting>()
