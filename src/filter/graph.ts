import type { Condition, Store, TestOperator } from './condition.js'
import type { Value, Values } from './value.js'
import { type Range, splitFirstWord, type WordRange } from './value-set.js'

/** A decision: where a packet goes next. Equal ones are the same object; the graph has no cycles. */
export type Decision = { readonly id: number } & (
  | { readonly kind: 'return'; readonly accept: boolean }
  | {
      readonly kind: 'test'
      readonly operator: TestOperator
      readonly left: Value
      readonly right: Value
      readonly yes: Decision
      readonly no: Decision
    }
  | { readonly kind: 'store'; readonly stores: readonly Store[]; readonly next: Decision }
)

export type Test = Extract<Decision, { kind: 'test' }>

/** Lists up to this long are asked one by one, longer ones are halved first. */
const chainLength = 6

/** Makes decisions from conditions, back to front. */
export class Graph {
  readonly #values: Values
  readonly #tests = new Map<string, Decision>()
  #count = 2
  readonly accept: Decision = { id: 0, kind: 'return', accept: true }
  readonly reject: Decision = { id: 1, kind: 'return', accept: false }

  constructor(values: Values) {
    this.#values = values
  }

  test(operator: TestOperator, left: Value, right: Value, yes: Decision, no: Decision): Decision {
    if (yes === no) return yes
    const key = `${operator},${left.id},${right.id},${yes.id},${no.id}`
    let decision = this.#tests.get(key)
    if (decision === undefined) {
      decision = { id: this.#count++, kind: 'test', operator, left, right, yes, no }
      this.#tests.set(key, decision)
    }
    return decision
  }

  store(stores: readonly Store[], next: Decision): Decision {
    if (next.kind === 'return') return next
    const key = `${stores.map(({ slot, value }) => `${slot}:${value.id}`)}>${next.id}`
    let decision = this.#tests.get(key)
    if (decision === undefined) {
      decision = { id: this.#count++, kind: 'store', stores, next }
      this.#tests.set(key, decision)
    }
    return decision
  }

  /** The decision that leads to `yes` where the condition holds and to `no` elsewhere. */
  build(condition: Condition, yes: Decision, no: Decision): Decision {
    switch (condition.kind) {
      case 'constant':
        return condition.value ? yes : no
      case 'test':
        return this.test(condition.operator, condition.left, condition.right, yes, no)
      case 'not':
        return this.build(condition.term, no, yes)
      case 'and':
        return condition.terms.reduceRight((next, term) => this.build(term, next, no), yes)
      case 'or':
        return condition.terms.reduceRight((next, term) => this.build(term, yes, next), no)
      case 'store':
        return this.store(condition.stores, yes)
      case 'lookup':
        return this.build(condition.ask(condition.set), yes, no)
      case 'member':
        return this.#member(condition.words, condition.set.ranges, condition.set.bits, yes, no)
    }
  }

  #member(
    words: readonly Value[],
    ranges: readonly Range[],
    bits: number,
    yes: Decision,
    no: Decision,
  ): Decision {
    const first = bits % 32 || 32
    const parts = splitFirstWord(ranges, bits, first)
    const inside = (part: WordRange) =>
      part.rest === undefined ? yes : this.#member(words.slice(1), part.rest, bits - first, yes, no)
    return this.#search(words[0]!, parts, 0, first === 32 ? 0xffffffff : 2 ** first - 1, inside, no)
  }

  /** Finds the part that holds `value`, which is known to be from `min` to `max`. */
  #search(
    value: Value,
    parts: readonly WordRange[],
    min: number,
    max: number,
    inside: (part: WordRange) => Decision,
    no: Decision,
  ): Decision {
    if (parts.length > chainLength) {
      const middle = parts.length >> 1
      const pivot = parts[middle]!.low
      const upper = this.#search(value, parts.slice(middle), pivot, max, inside, no)
      const lower = this.#search(value, parts.slice(0, middle), min, pivot - 1, inside, no)
      return this.test('>=', value, this.#values.constant(pivot), upper, lower)
    }
    // Built from the last to the first; a range asks its lower bound first, so that what is below it is done with.
    return parts.reduceRight((next, part, index) => {
      const { low, high } = part
      const yes = inside(part)
      if (low === high) return this.test('=', value, this.#values.constant(low), yes, next)
      const least = index === 0 ? min : parts[index - 1]!.high + 1
      const below = high === max ? yes : this.test('>', value, this.#values.constant(high), next, yes)
      return low === least ? below : this.test('>=', value, this.#values.constant(low), below, no)
    }, no)
  }
}

/** Every decision after all that lead to it. */
export function inOrder(root: Decision): Decision[] {
  const done = new Set<Decision>()
  const order: Decision[] = []
  const stack: { decision: Decision; entered: boolean }[] = [{ decision: root, entered: false }]
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { decision, entered } = top
    if (entered) {
      order.push(decision)
      continue
    }
    if (done.has(decision)) continue
    done.add(decision)
    stack.push({ decision, entered: true })
    if (decision.kind === 'store') stack.push({ decision: decision.next, entered: false })
    if (decision.kind === 'test') {
      stack.push({ decision: decision.yes, entered: false }, { decision: decision.no, entered: false })
    }
  }
  return order.reverse()
}
