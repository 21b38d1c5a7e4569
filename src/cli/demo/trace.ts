import { createWriteStream, openSync, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { decode, frameFlags } from '../../frames/index.js'
import { PcapngWriter } from '../../pcap/index.js'
import type { FrameBatch } from '../../port/index.js'
import { brief } from './brief.js'
import type { Screen } from './screen.js'

/** Bytes of each frame that go into the file: headers, and the start of what they carry. */
const snapLength = 256

/** Lines for segments that are sent again; there can be a thousand. */
const mostShown = 12

/** What the onlooker of the cable sees: every frame, only what is sent again, or nothing. */
export type Attention = 'all' | 'retransmissions' | 'none'

/** Looks at the frames on the cable: prints them, a line each, and writes them to a capture file. */
export class Trace {
  attention: Attention = 'all'
  frames = 0
  retransmissions = 0
  #shown = 0
  readonly #screen: Screen
  readonly #file: WriteStream
  readonly #writer = new PcapngWriter()
  readonly #began = process.hrtime.bigint()
  readonly #epoch = BigInt(Date.now()) * 1_000_000n
  /** The end of what each TCP flow has sent. */
  readonly #sent = new Map<string, number>()

  constructor(screen: Screen, path: string) {
    this.#screen = screen
    this.#file = createWriteStream(path, { fd: openSync(path, 'w') })
    this.#file.write(this.#writer.section({ application: 'netloom demo' }))
    for (const name of ['red', 'blue']) {
      this.#file.write(this.#writer.interface({ name, linkType: 'ethernet', snapLength }))
    }
  }

  /** `willLose` is asked once of each frame. */
  look(from: 'red' | 'blue', batch: FrameBatch, willLose = () => false): void {
    this.frames += batch.count
    if (this.attention === 'none') return
    const elapsed = process.hrtime.bigint() - this.#began
    for (const frame of batch) {
      this.#file.write(
        this.#writer.packet({
          interface: from === 'red' ? 0 : 1,
          timestamp: this.#epoch + elapsed,
          data: frame.subarray(0, snapLength),
          originalLength: frame.length,
          flags: frameFlags.inbound,
        }),
      )
      const lost = willLose()
      const again = this.#isSentAgain(frame)
      if (again) this.retransmissions++
      if (this.attention === 'all' || (again && this.#shown++ < mostShown)) {
        this.#print(from, frame, elapsed, again, lost)
      }
    }
  }

  async close(): Promise<void> {
    this.#file.end()
    await finished(this.#file)
  }

  #print(from: 'red' | 'blue', frame: Uint8Array, elapsed: bigint, again: boolean, lost: boolean): void {
    const screen = this.#screen
    const time = (Number(elapsed) / 1e9).toFixed(4)
    const way = from === 'red' ? 'red  → blue' : 'blue → red '
    const note = again ? ' (sent again)' : ''
    const fate = lost ? ' ✂ lost' : ''
    const text = brief(frame, screen.columns - `   ${time} ${way} ${note}${fate}`.length)
    const end = screen.style('magenta', note) + screen.style('yellow', fate)
    screen.line(`   ${screen.style('dim', time)} ${screen.style(from, way)} ${text}${end}`)
  }

  #isSentAgain(frame: Uint8Array): boolean {
    const { ipv4, ipv6, tcp } = decode(frame)
    const ip = ipv4 ?? ipv6
    if (!tcp || !ip || tcp.payload.length === 0) return false
    const flow = `${ip.source} ${tcp.sourcePort} ${ip.destination} ${tcp.destinationPort}`
    const end = (tcp.sequence + tcp.payload.length) >>> 0
    const before = this.#sent.get(flow)
    // Sequence numbers wrap around (RFC 9293 section 3.4).
    if (before !== undefined && ((end - before) | 0) <= 0) return true
    this.#sent.set(flow, end)
    return false
  }
}
