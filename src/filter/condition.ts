import type { Value } from './value.js'
import type { ValueSet } from './value-set.js'

/** What a branch of the machine can ask: `set` is whether the two have a bit in common. */
export type TestOperator = '=' | '>' | '>=' | 'set'

export type Condition =
  | { kind: 'constant'; value: boolean }
  | { kind: 'test'; operator: TestOperator; left: Value; right: Value }
  | { kind: 'and' | 'or'; terms: Condition[] }
  | { kind: 'not'; term: Condition }
  /** True; afterwards the memory holds these values. */
  | { kind: 'store'; stores: readonly Store[] }
  /** Whether the number that `words` make, the first most significant, is in the set. */
  | { kind: 'member'; words: readonly Value[]; set: ValueSet }
  /**
   * A question about a set that may be asked of several sets at once: of those in one `or` that have the same
   * `key`, one is left with the union.
   */
  | { kind: 'lookup'; key: string; set: ValueSet; ask: (set: ValueSet) => Condition }

export interface Store {
  slot: number
  value: Value
}

export const always: Condition = { kind: 'constant', value: true }
export const never: Condition = { kind: 'constant', value: false }

export function test(operator: TestOperator, left: Value, right: Value): Condition {
  if (left.kind === 'constant' && right.kind === 'constant') {
    return { kind: 'constant', value: holds(operator, left.value, right.value) }
  }
  if (right.kind === 'constant' && right.value === 0) {
    if (operator === '>=') return always
    if (operator === '>') return not(test('=', left, right))
    if (
      operator === '=' &&
      left.kind === 'binary' &&
      left.operator === '&' &&
      left.right.kind === 'constant'
    ) {
      return not({ kind: 'test', operator: 'set', left: left.left, right: left.right })
    }
  }
  return { kind: 'test', operator, left, right }
}

export function holds(operator: TestOperator, left: number, right: number): boolean {
  switch (operator) {
    case '=':
      return left === right
    case '>':
      return left > right
    case '>=':
      return left >= right
    case 'set':
      return (left & right) !== 0
  }
}

export function and(...terms: Condition[]): Condition {
  if (terms.some(term => term.kind === 'constant' && !term.value)) return never
  return wide(
    'and',
    terms.filter(term => term.kind !== 'constant'),
    always,
  )
}

export function or(...terms: Condition[]): Condition {
  if (terms.some(term => term.kind === 'constant' && term.value)) return always
  return wide('or', mergeLookups(terms.filter(term => term.kind !== 'constant')), never)
}

export function not(term: Condition): Condition {
  if (term.kind === 'constant') return term.value ? never : always
  if (term.kind === 'not') return term.term
  return { kind: 'not', term }
}

function wide(kind: 'and' | 'or', terms: Condition[], none: Condition): Condition {
  if (terms.length === 0) return none
  if (terms.length === 1) return terms[0]!
  if (kind === 'and') {
    const refused = terms.filter(term => term.kind === 'not' && term.term.kind === 'lookup')
    if (refused.length > 1) return mergeRefusals(terms)
  }
  return { kind, terms }
}

/** `not a and not b` is `not (a or b)`, of which sets can be made. */
function mergeRefusals(terms: Condition[]): Condition {
  const inner = terms.map(term =>
    term.kind === 'not' && term.term.kind === 'lookup' ? term.term : undefined,
  )
  const first = inner.findIndex(term => term !== undefined)
  const merged = mergeLookups(inner.filter(term => term !== undefined))
  const rest = terms.filter((_, index) => index > first && inner[index] === undefined)
  const all = [...terms.slice(0, first), ...merged.map(not), ...rest]
  return all.length === 1 ? all[0]! : { kind: 'and', terms: all }
}

/** The union stands where the first of them stood. */
function mergeLookups(terms: readonly Condition[]): Condition[] {
  const sets = new Map<string, ValueSet[]>()
  const kept: Condition[] = []
  for (const term of terms) {
    if (term.kind !== 'lookup') {
      kept.push(term)
      continue
    }
    const same = sets.get(term.key)
    if (same !== undefined) {
      same.push(term.set)
      continue
    }
    sets.set(term.key, [term.set])
    kept.push(term)
  }
  return kept.map(term =>
    term.kind === 'lookup' && sets.get(term.key)!.length > 1
      ? { ...term, set: term.set.union(sets.get(term.key)!.slice(1)) }
      : term,
  )
}
