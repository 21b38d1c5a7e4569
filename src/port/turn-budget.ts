/** Work that one side of a port does in one turn of the event loop. */
const framesPerTurn = 2048
const millisecondsPerTurn = 1

/**
 * Bounds what is done within one turn of the event loop. Promises that settle at once run before any timer
 * or socket gets its turn, so a loop over a port that always has data would starve the whole process: once
 * the budget is spent, the port settles its promises from the next turn only.
 */
export class TurnBudget {
  #frames = 0
  #began = 0
  #immediate: NodeJS.Immediate | undefined
  #wake: (() => void) | undefined

  spend(frames: number): void {
    this.#begin()
    this.#frames += frames
  }

  get spent(): boolean {
    if (!this.#immediate) return false
    return this.#frames >= framesPerTurn || performance.now() - this.#began >= millisecondsPerTurn
  }

  /** While the budget is spent: calls `wake` in the next turn, which keeps the process alive until then. */
  wait(wake: () => void): void {
    if (!this.spent) return
    this.#begin().ref()
    this.#wake = wake
  }

  #begin(): NodeJS.Immediate {
    if (this.#immediate) return this.#immediate
    this.#frames = 0
    this.#began = performance.now()
    this.#immediate = setImmediate(() => this.#renew()).unref()
    return this.#immediate
  }

  #renew(): void {
    this.#immediate = undefined
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
