/**
 * Undoes in reverse what was made (Node 20 lacks `AsyncDisposableStack`). Every entry is run, also when
 * some fail; the first failure is thrown, with the others in an `AggregateError`.
 */
export class DisposeStack {
  #undo: (() => unknown)[] = []

  /** Closes `resource` with the stack, and returns it. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(() =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    )
    return resource
  }

  defer(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  /** Hands everything over to the caller: disposing of this stack then does nothing. */
  move(): DisposeStack {
    const moved = new DisposeStack()
    moved.#undo = this.#undo
    this.#undo = []
    return moved
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) {
      try {
        await undo()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1) throw new AggregateError(failures, 'several resources failed to close')
  }
}
