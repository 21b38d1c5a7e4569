/** @internal The event loop's next turn, for all of a port who wait for it: one immediate, whose end calls `begin`. */
export class NextTurn {
  readonly #begin: () => void
  #immediate: NodeJS.Immediate | undefined
  #referenced = true

  constructor(begin: () => void) {
    this.#begin = () => {
      this.#immediate = undefined
      begin()
    }
  }

  wait(): void {
    this.#immediate ??= setImmediate(this.#begin)
    this.hold(this.#referenced)
  }

  /** Whether it keeps the process alive while somebody waits. */
  hold(on: boolean): void {
    this.#referenced = on
    if (on) this.#immediate?.ref()
    else this.#immediate?.unref()
  }
}
