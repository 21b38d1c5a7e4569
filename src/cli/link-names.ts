import type { Link } from '../netlink/index.js'

/** Names of links by their indexes. One that has gone keeps its name, for what is told of it afterwards. */
export class LinkNames {
  readonly #names = new Map<number, string>()

  constructor(links: Iterable<Link> = []) {
    for (const link of links) this.add(link)
  }

  add({ index, name }: Link): void {
    this.#names.set(index, name)
  }

  /** `if7` for one that is not known. */
  of(index: number): string {
    return this.#names.get(index) ?? `if${index}`
  }

  find(index: number): string | undefined {
    return this.#names.get(index)
  }
}
