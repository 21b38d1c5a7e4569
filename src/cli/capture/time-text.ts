const second = 1_000_000_000n

/** Times of packets as text, in the local time zone. */
export class TimeText {
  readonly #style: number
  readonly #digits: number
  #before: bigint | undefined
  /** The second that was told last: most packets are of the same. */
  #second = -1n
  #told = ''

  /**
   * `style` is how often -t is given, as with tcpdump: 0 is the time of day, 1 nothing, 2 seconds since 1970, 3 the
   * time since the packet before, 4 date and time, 5 the time since the first packet.
   */
  constructor(style: number, nanoseconds: boolean) {
    this.#style = style
    this.#digits = nanoseconds ? 9 : 6
  }

  /** With a space behind it; empty where there is nothing to tell. */
  of(exact: bigint | undefined): string {
    const style = this.#style
    if (exact === undefined || style === 1) return ''
    // Differences are of what is told.
    const time = this.#digits === 9 ? exact : exact - (exact % 1000n)
    if (style === 2) return `${time / second}${this.#fraction(time % second)} `
    if (style === 3 || style === 5) {
      const since = time - (this.#before ?? time)
      if (style === 3) this.#before = time
      else this.#before ??= time
      const sign = since < 0n ? '-' : ''
      const distance = since < 0n ? -since : since
      const seconds = Number(distance / second)
      return `${sign}${clock(seconds / 3600, (seconds / 60) % 60, seconds % 60)}${this.#fraction(distance % second)} `
    }
    const whole = time / second
    if (whole !== this.#second) {
      const date = new Date(Number(whole) * 1000)
      const day =
        style === 4 ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` : ''
      this.#second = whole
      this.#told = day + clock(date.getHours(), date.getMinutes(), date.getSeconds())
    }
    return `${this.#told}${this.#fraction(time % second)} `
  }

  #fraction(nanoseconds: bigint): string {
    return `.${String(nanoseconds).padStart(9, '0').slice(0, this.#digits)}`
  }
}

function clock(hours: number, minutes: number, seconds: number): string {
  return `${two(Math.floor(hours))}:${two(Math.floor(minutes))}:${two(seconds)}`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
