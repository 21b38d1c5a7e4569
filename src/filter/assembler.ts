import type { Decision } from './graph.js'
import { inOrder } from './graph.js'
import { arithmetic, extensionBase, type Instruction, memoryWords, operations, useX } from './instruction.js'
import type { Value } from './value.js'

/** What the two registers hold, as far as it is known: ids of values. */
interface Registers {
  a: number | undefined
  x: number | undefined
}

const branches = {
  '=': operations.jumpEqual,
  '>': operations.jumpGreater,
  '>=': operations.jumpGreaterEqual,
  set: operations.jumpSet,
} as const

const loads = {
  1: [operations.ldByte, operations.ldByteX],
  2: [operations.ldHalf, operations.ldHalfX],
  4: [operations.ldWord, operations.ldWordX],
} as const

/** More nested arithmetic than the machine has memory for. */
export class TooComplex extends Error {}

/**
 * The program of a graph, which returns `snapLength` for packets that are accepted. `slots` words of the memory, from
 * 0 on, are the graph's own.
 */
export function assemble(root: Decision, snapLength: number, slots: number): Instruction[] {
  const order = inOrder(root)
  const entries = new Map<Decision, Registers>([[root, { a: undefined, x: undefined }]])
  const codes = new Map<Decision, Instruction[]>()
  for (const decision of order) {
    const code = new Code({ ...entries.get(decision)! }, slots)
    if (decision.kind === 'test') code.test(decision)
    if (decision.kind === 'store') for (const { slot, value } of decision.stores) code.store(slot, value)
    codes.set(decision, code.instructions)
    if (decision.kind === 'test')
      for (const to of [decision.yes, decision.no]) enter(entries, to, code.registers)
    if (decision.kind === 'store') enter(entries, decision.next, code.registers)
  }
  return link(order, codes, snapLength)
}

function enter(entries: Map<Decision, Registers>, decision: Decision, from: Registers): void {
  const before = entries.get(decision)
  if (before === undefined) entries.set(decision, { ...from })
  else {
    if (before.a !== from.a) before.a = undefined
    if (before.x !== from.x) before.x = undefined
  }
}

/**
 * Puts the pieces behind one another, from the last to the first, since branches only go forward. A branch reaches
 * 255 instructions; where a target is further away a jump to it is put in between, which the branches before it
 * share.
 */
function link(
  order: readonly Decision[],
  codes: Map<Decision, Instruction[]>,
  snapLength: number,
): Instruction[] {
  const reversed: Instruction[] = []
  /** How many instructions there are from the start of a piece to the end of the program. */
  const starts = new Map<Decision, number>()
  /** The same of the nearest place that leads there. */
  const nearest = new Map<Decision, number>()
  const place = (decision: Decision) => {
    nearest.set(decision, reversed.length)
  }
  const distance = (to: Decision) => reversed.length - nearest.get(to)!
  for (const decision of order.toReversed()) {
    if (decision.kind === 'return') {
      reversed.push(instruction(operations.returnConstant, decision.accept ? snapLength : 0))
    } else {
      const code = codes.get(decision)!
      if (decision.kind === 'store') {
        const skip = reversed.length - starts.get(decision.next)!
        if (skip > 0) reversed.push(instruction(operations.jump, skip))
      } else {
        for (const to of [decision.no, decision.yes]) {
          // One more instruction may still be put in for the other target.
          if (distance(to) < 255) continue
          reversed.push(
            to.kind === 'return'
              ? instruction(operations.returnConstant, to.accept ? snapLength : 0)
              : instruction(operations.jump, reversed.length - starts.get(to)!),
          )
          place(to)
        }
        const branch = code.at(-1)!
        branch.jt = distance(decision.yes)
        branch.jf = distance(decision.no)
      }
      for (const one of code.toReversed()) reversed.push(one)
    }
    starts.set(decision, reversed.length)
    place(decision)
  }
  return reversed.reverse()
}

function instruction(code: number, k = 0): Instruction {
  return { code, jt: 0, jf: 0, k: k >>> 0 }
}

/** The instructions of one decision, and the registers after them. */
class Code {
  readonly instructions: Instruction[] = []
  readonly registers: Registers
  readonly #slots: number
  #temporary = memoryWords

  constructor(registers: Registers, slots: number) {
    this.registers = registers
    this.#slots = slots
  }

  test({ operator, left, right }: Extract<Decision, { kind: 'test' }>): void {
    const x = this.#operands(left, right)
    this.#add(branches[operator] | x, right.kind === 'constant' ? right.value : 0)
  }

  store(slot: number, value: Value): void {
    this.#loadA(value)
    this.#add(operations.store, slot)
  }

  #add(code: number, k = 0): void {
    this.instructions.push(instruction(code, k))
  }

  /** Puts `left` into A and `right` into X, unless it is a constant; returns the bit that says which. */
  #operands(left: Value, right: Value): number {
    if (right.kind === 'constant') {
      this.#loadA(left)
      return 0
    }
    if (needsNoA(right)) {
      this.#loadA(left)
      this.#loadX(right)
      return useX
    }
    this.#loadA(right)
    const slot = this.#reserve()
    this.#add(operations.store, slot)
    this.#loadA(left)
    this.#add(operations.ldxMemory, slot)
    this.registers.x = right.id
    this.#temporary++
    return useX
  }

  #reserve(): number {
    if (--this.#temporary < this.#slots) throw new TooComplex()
    return this.#temporary
  }

  #loadX(value: Value): void {
    if (this.registers.x === value.id) return
    if (value.kind === 'header') this.#add(operations.ldxHeader, value.offset)
    else if (value.kind === 'constant') this.#add(operations.ldxConstant, value.value)
    else if (value.kind === 'length') this.#add(operations.ldxLength)
    else if (value.kind === 'memory') this.#add(operations.ldxMemory, value.slot)
    else {
      this.#loadA(value)
      this.#add(operations.tax)
    }
    this.registers.x = value.id
  }

  #loadA(value: Value): void {
    if (this.registers.a === value.id) return
    switch (value.kind) {
      case 'constant':
        this.#add(operations.ldConstant, value.value)
        break
      case 'length':
        this.#add(operations.ldLength)
        break
      case 'memory':
        this.#add(operations.ldMemory, value.slot)
        break
      case 'extension':
        this.#add(operations.ldWord, extensionBase + value.number)
        break
      case 'header':
        this.#loadX(value)
        this.#add(operations.txa)
        break
      case 'load':
        if (value.base !== undefined) this.#loadX(value.base)
        this.#add(loads[value.size][value.base === undefined ? 0 : 1], value.offset)
        break
      case 'negate':
        this.#loadA(value.operand)
        this.#add(operations.negate)
        break
      case 'binary': {
        const x = this.#operands(value.left, value.right)
        this.#add(arithmetic[value.operator] | x, value.right.kind === 'constant' ? value.right.value : 0)
      }
    }
    this.registers.a = value.id
  }
}

/** Whether X can be loaded with it while A stays as it is. */
function needsNoA(value: Value): boolean {
  return ['header', 'constant', 'length', 'memory'].includes(value.kind)
}
