import { type FramePort, type ImpairedPort, type Impairments, impair } from '../../port/index.js'

/** A port on a line that can be spoilt, which tells of a frame beforehand whether it will be lost. */
export class Line {
  readonly port: ImpairedPort<'ethernet'>
  /** Drawn for frames that are on their way to the port: it will find the same. */
  #drawn: number[] = []

  constructor(to: FramePort<'ethernet'>) {
    this.port = impair(to, { random: () => this.#drawn.shift() ?? Math.random() })
  }

  /** To be asked once of each frame, in the order in which they are sent. */
  readonly willLose = (): boolean => {
    const { unplugged, loss } = this.port
    if (unplugged || loss === 0) return unplugged
    const number = Math.random()
    this.#drawn.push(number)
    return number < loss
  }

  change(to: Partial<Impairments>): void {
    this.#drawn = []
    Object.assign(this.port, to)
  }
}
