import { holds } from './condition.js'
import { type Decision, type Graph, inOrder, type Test } from './graph.js'

/** What is known on an edge: the answer of the test that it leaves, and what was known before. */
interface Fact {
  test: Test
  answer: boolean
  before: Fact | undefined
  depth: number
}

/** So many facts are looked back upon: enough for hand-written filters, and no quadratic time for lists. */
const memory = 64
const maxRounds = 12

/**
 * Leads every edge past the tests whose answers are known on it, until nothing changes. A test that is passed by has
 * had its loads done before, so that a packet that is too short for them was refused already.
 */
export function optimize(graph: Graph, root: Decision): Decision {
  let current = root
  for (let round = 0; round < maxRounds; round++) {
    const next = shorten(graph, current)
    if (next === current) break
    current = next
  }
  return current
}

function shorten(graph: Graph, root: Decision): Decision {
  const order = inOrder(root)
  /** What is known wherever a decision is reached; absent before the first edge to it. */
  const known = new Map<Decision, Fact | undefined>()
  const targets = new Map<Decision, [Decision, Decision]>()
  const reach = (to: Decision, fact: Fact | undefined) => {
    known.set(to, known.has(to) ? common(known.get(to), fact) : fact)
  }
  known.set(root, undefined)
  for (const decision of order) {
    // A decision to which no edge leads any more still is in the order of this round.
    if (!known.has(decision) || decision.kind === 'return') continue
    const before = known.get(decision)
    if (decision.kind === 'store') {
      reach(decision.next, before)
      continue
    }
    const edge = (answer: boolean): Decision => {
      const fact: Fact = { test: decision, answer, before, depth: (before?.depth ?? 0) + 1 }
      let to = answer ? decision.yes : decision.no
      while (to.kind === 'test') {
        const outcome = decide(to, fact)
        if (outcome === undefined) break
        to = outcome ? to.yes : to.no
      }
      reach(to, fact)
      return to
    }
    targets.set(decision, [edge(true), edge(false)])
  }
  const rebuilt = new Map<Decision, Decision>()
  for (const decision of order.reverse()) {
    if (decision.kind === 'return') rebuilt.set(decision, decision)
    else if (decision.kind === 'store') {
      rebuilt.set(decision, graph.store(decision.stores, rebuilt.get(decision.next)!))
    } else {
      const [towardsYes, towardsNo] = targets.get(decision) ?? [decision.yes, decision.no]
      const yes = rebuilt.get(towardsYes)!
      const no = rebuilt.get(towardsNo)!
      const same = yes === decision.yes && no === decision.no
      rebuilt.set(
        decision,
        same ? decision : graph.test(decision.operator, decision.left, decision.right, yes, no),
      )
    }
  }
  return rebuilt.get(root)!
}

/** The facts that both have: the end at which their histories meet. */
function common(a: Fact | undefined, b: Fact | undefined): Fact | undefined {
  while (a !== b) {
    if (a === undefined || b === undefined) return undefined
    if (a.depth >= b.depth) a = a.before
    else b = b.before
  }
  return a
}

/** The answer of a test, if the facts tell it. */
function decide(test: Test, facts: Fact): boolean | undefined {
  let low = 0
  let high = 0xffffffff
  const excluded = new Set<number>()
  let steps = memory
  for (let fact: Fact | undefined = facts; fact !== undefined && steps > 0; fact = fact.before, steps--) {
    const { operator, left, right } = fact.test
    if (left !== test.left) continue
    if (operator === test.operator && right === test.right) return fact.answer
    if (right.kind !== 'constant') continue
    const { value } = right
    if (operator === '=' && fact.answer) low = high = value
    else if (operator === '=') excluded.add(value)
    else if (operator === '>' && fact.answer) low = Math.max(low, value + 1)
    else if (operator === '>') high = Math.min(high, value)
    else if (operator === '>=' && fact.answer) low = Math.max(low, value)
    else if (operator === '>=') high = Math.min(high, value - 1)
    else if (!fact.answer && test.right.kind === 'constant') {
      if (test.operator === '=' && (test.right.value & value) !== 0) return false
      if (test.operator === 'set' && (test.right.value & ~value) === 0) return false
    }
  }
  if (test.right.kind !== 'constant') return undefined
  const { value } = test.right
  if (low === high) return holds(test.operator, low, value)
  switch (test.operator) {
    case '=':
      return value < low || value > high || excluded.has(value) ? false : undefined
    case '>':
      return low > value ? true : high <= value ? false : undefined
    case '>=':
      return low >= value ? true : high < value ? false : undefined
    default:
      return undefined
  }
}
