import { style } from '../style.js'
import { type Cell, formatTable } from '../text-table.js'
import type { Output } from './output.js'
import type { Tally, Traffic } from './traffic.js'

/** Rows of each table. */
const rows = 10

/** Shows traffic as it goes: on a terminal redrawn in place, elsewhere a line each time and the tables at the end. */
export class TrafficView {
  readonly #traffic: Traffic
  readonly #output: Output
  readonly #inPlace: boolean
  #drawn = 0
  #before: Tally = { packets: 0, bytes: 0 }

  constructor(traffic: Traffic, output: Output, inPlace: boolean) {
    this.#traffic = traffic
    this.#output = output
    this.#inPlace = inPlace
  }

  /** What went since the last call, `seconds` ago. */
  async show(seconds: number, dropped: bigint): Promise<void> {
    const { packets, bytes } = this.#traffic.total
    const span = Math.max(seconds, 1e-3)
    const rate = {
      packets: (packets - this.#before.packets) / span,
      bits: ((bytes - this.#before.bytes) * 8) / span,
    }
    this.#before = { packets, bytes }
    const head = [
      `${unit(rate.packets)} packets/s`,
      `${unit(rate.bits)}bit/s`,
      `${packets} packets`,
      `${unit(bytes)}B`,
      `${dropped} dropped`,
    ].join('   ')
    if (!this.#inPlace) {
      const [first] = this.#traffic.protocols(1)
      return await this.#output.write(`${head}${first ? `   most ${first.protocol}` : ''}\n`)
    }
    await this.#draw(`${style('bold', head)}\n\n${this.tables()}`)
  }

  /** Protocols and talkers. */
  tables(): string {
    const { total } = this.#traffic
    const share = (bytes: number) => `${((100 * bytes) / Math.max(total.bytes, 1)).toFixed(1)} %`
    const tail = ({ packets, bytes }: Tally): Cell[] => [
      String(packets).padStart(9),
      `${unit(bytes)}B`.padStart(9),
      share(bytes).padStart(7),
    ]
    const protocols = this.#traffic
      .protocols(rows)
      .map((entry): Cell[] => [{ text: entry.protocol, style: 'cyan' }, ...tail(entry)])
    const talkers = this.#traffic
      .talkers(rows)
      .map((entry): Cell[] => [
        { text: entry.source, style: 'cyan' },
        entry.destination === '' ? '' : `→ ${entry.destination}`,
        ...tail(entry),
      ])
    return `${formatTable(protocols)}\n${formatTable(talkers)}`
  }

  async #draw(text: string): Promise<void> {
    const lines = text.split('\n').length - 1
    // Back to where the last one began, and nothing below.
    const back = this.#drawn > 0 ? `\x1b[${this.#drawn}A\r` : ''
    this.#drawn = lines
    await this.#output.write(`${back}\x1b[J${text}`)
  }
}

/** Three digits and a prefix of SI: `12.3 k`. */
function unit(value: number): string {
  let left = value
  for (const prefix of ['', 'k', 'M', 'G', 'T']) {
    if (left < 999.5 || prefix === 'T')
      return `${left >= 100 || prefix === '' ? left.toFixed(0) : left.toPrecision(3)} ${prefix}`
    left /= 1000
  }
  return ''
}
