import { Capture, type CaptureOptions, type RecordingOptions } from '../../capture/index.js'
import type { FrameBatch } from '../../frames/index.js'
import type { Network } from '../../network/index.js'
import type { FileBatch } from '../../pcap/index.js'
import { LinkNames } from '../link-names.js'
import type { PacketSink } from './packet-sink.js'

export type LiveOptions = Omit<CaptureOptions, 'interface'> & { interface: string }

type AnyCapture = Capture | Capture<'linux-sll2'>

/** What was captured, for the words at the end. */
export interface LiveSummary {
  packets: number
  received: bigint
  dropped: bigint
  /** The interface has gone. */
  removed: boolean
}

/** A capture of an interface, or of `any`. */
export class LiveCapture implements AsyncDisposable {
  readonly capture: AnyCapture
  readonly #names: LinkNames
  #packets = 0

  private constructor(capture: AnyCapture, names: LinkNames) {
    this.capture = capture
    this.#names = names
  }

  static async open(network: Network, options: LiveOptions): Promise<LiveCapture> {
    const { interface: name, promiscuous, ...rest } = options
    const capture =
      name === 'any'
        ? await Capture.openAny({ ...rest, in: network })
        : await Capture.open({ ...rest, in: network, interface: name, promiscuous })
    return new LiveCapture(capture, new LinkNames(await network.links.list()))
  }

  /** The name of the interface of a frame, where there are several; of one whose number is known, always. */
  readonly nameOf = (batch: FrameBatch | FileBatch, i: number): string | undefined =>
    this.capture.index === 0 ? this.#names.of(batch.interfaces?.[i] ?? 0) : undefined

  describe(index: number | undefined): { name: string } {
    return { name: this.capture.index === 0 ? this.#names.of(index ?? 0) : this.capture.name }
  }

  /** Reads into sinks until `count` packets came, the signal aborts or the interface goes. */
  async read(sinks: readonly PacketSink[], count: number | undefined, signal: AbortSignal): Promise<void> {
    const most = count ?? Number.POSITIVE_INFINITY
    try {
      for await (const batch of this.capture.batches({ signal })) {
        const left = most - this.#packets
        const frames = batch.count <= left ? undefined : Array.from({ length: left }, (_, i) => i)
        this.#packets += frames?.length ?? batch.count
        for (const sink of sinks) await sink.take(batch, frames)
        if (this.#packets >= most || sinks.some(sink => sink.closed)) break
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Writes a file on a thread of its own. */
  async record(target: string | number, options: RecordingOptions): Promise<void> {
    try {
      this.#packets = (await this.capture.toFile(target, options)).packets
    } catch (error) {
      // The reader of a pipe has seen enough.
      if ((error as { code?: unknown }).code !== 'EPIPE') throw error
    }
  }

  async end(): Promise<LiveSummary> {
    const { received, dropped } = this.capture.stats()
    await this.capture.close()
    const { type } = await this.capture.closed
    return { packets: this.#packets, received, dropped, removed: type === 'removed' }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.capture.close()
  }
}

/** The names that files have for the interfaces of a section, where there are several. */
export function nameInFile(batch: FrameBatch | FileBatch, i: number): string | undefined {
  if (!('section' in batch)) return undefined
  const { interfaces } = batch.section
  if (interfaces.length < 2) return undefined
  const number = batch.interfaces[i]!
  return interfaces[number]?.name ?? `#${number}`
}
