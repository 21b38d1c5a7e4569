import { NLM_F } from './constants.js'
import { littleEndian, writeNative32 } from './endianness.js'
import type { Marks, Request } from './message-writer.js'
import type { RequestContext } from './netlink-error.js'

/**
 * Requests one behind the other, as the kernel takes them: very many weigh little more than their bytes. Each gets an
 * answer of its own.
 */
export class RequestList {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  /** Where each begins, and where the next one will. */
  readonly #starts = [0]
  readonly #operations: string[] = []
  readonly #subjects: (string | undefined)[] = []
  /** Of requests that look alike, one. */
  readonly #marks: Marks[] = []

  get length(): number {
    return this.#operations.length
  }

  add({ request, operation, subject }: { request: Request } & RequestContext): void {
    const start = this.#starts.at(-1)!
    const end = start + ((request.length + 3) & ~3)
    if (end > this.#bytes.length) this.#grow(end)
    request.copyTo(this.#bytes, start)
    this.#starts.push(end)
    this.#operations.push(operation)
    this.#subjects.push(subject)
    const { marks } = request
    const former = this.#marks.at(-1)
    this.#marks.push(former && isSame(former, marks) ? former : marks)
  }

  /** @param i from 0 */
  context(i: number): RequestContext {
    return { operation: this.#operations[i]!, subject: this.#subjects[i] }
  }

  /** @param i from 0 */
  marks(i: number): Marks {
    return this.#marks[i]!
  }

  /** How many from `first` are `bytes` long at most; one that is longer goes alone. */
  fitting(first: number, bytes: number): number {
    const limit = this.#starts[first]! + bytes
    let end = first + 1
    while (end < this.length && this.#starts[end + 1]! <= limit) end++
    return end - first
  }

  /** Some of them as one: numbered one after the other, and only the last one asks for an acknowledgement. */
  part(first: number, count: number): Request {
    // What is added while it waits may move them elsewhere.
    const bytes = this.#bytes
    const view = this.#view
    const message = bytes.subarray(this.#starts[first], this.#starts[first + count])
    return {
      flags: 0,
      marks: [],
      message,
      length: message.length,
      stamp: (sequence, port) => {
        for (let i = first; i < first + count; i++) {
          const at = this.#starts[i]!
          const flags = view.getUint16(at + 6, littleEndian)
          const ack = i === first + count - 1 ? NLM_F.ACK : 0
          view.setUint16(at + 6, (flags & ~NLM_F.ACK) | ack, littleEndian)
          writeNative32(bytes, at + 8, (sequence + i - first) >>> 0)
          writeNative32(bytes, at + 12, port)
        }
      },
      copyTo: (target, at) => target.set(message, at),
    }
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(2 * needed)
    bytes.set(this.#bytes)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

function isSame(one: Marks, other: Marks): boolean {
  if (one.length !== other.length) return false
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false
  return true
}
