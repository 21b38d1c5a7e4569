import { outOfRange } from '../errors/index.js'
import { FilterError } from './filter-error.js'
import { extensionBase, extensions, type Instruction, memoryWords } from './instruction.js'

/** Longer programs are not even run by `runFilter`. */
const maxInstructions = 1 << 20

const known = new Set<number>([
  0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x05, 0x06, 0x16,
  0x07, 0x87, 0x84,
])
for (const operation of [0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4])
  known.add(operation).add(operation | 8)
for (const operation of [0x15, 0x25, 0x35, 0x45]) known.add(operation).add(operation | 8)

const knownExtensions = new Set<number>(Object.values(extensions))

/**
 * Throws a {@link FilterError} unless the program ends, and does so with an answer: every operation is known,
 * branches stay inside, the last instruction returns, nothing divides by a constant zero or shifts by more than 31,
 * and memory is written before it is read on every path. What the kernel checks too, but for its limit of 4096.
 */
export function verify(program: readonly Instruction[]): void {
  const { length } = program
  if (length === 0 || length > maxInstructions)
    throw bad(0, `a program has 1 to ${maxInstructions} instructions`)
  /** Which words of the memory are written on all paths to an instruction. */
  const written = new Uint32Array(length).fill(0xffffffff)
  written[0] = 0
  for (let at = 0; at < length; at++) {
    const { code, jt, jf, k } = program[at]!
    checkFields(at, program[at]!)
    if (!known.has(code)) throw bad(at, `there is no operation 0x${code.toString(16)}`)
    const type = code & 7
    let memory = written[at]!
    if ((code === 0x34 || code === 0x94) && k === 0) throw bad(at, 'it divides by zero')
    if ((code === 0x64 || code === 0x74) && k > 31) throw bad(at, 'it shifts by more than 31')
    if (type === 2 || type === 3) {
      if (k >= memoryWords) throw bad(at, `the memory has ${memoryWords} words`)
      memory |= 1 << k
    }
    if (code === 0x60 || code === 0x61) {
      if (k >= memoryWords) throw bad(at, `the memory has ${memoryWords} words`)
      if ((memory & (1 << k)) === 0) throw bad(at, 'it reads memory that was not written')
    }
    if (
      (code === 0x20 || code === 0x28 || code === 0x30) &&
      k >= extensionBase &&
      !knownExtensions.has(k - extensionBase)
    ) {
      throw bad(at, 'there is no such extension')
    }
    if (type === 6) continue
    const isBranch = type === 5 && code !== 0x05
    const yes = at + 1 + (isBranch ? jt : code === 0x05 ? k : 0)
    const no = isBranch ? at + 1 + jf : yes
    if (yes >= length || no >= length) throw bad(at, 'it leads past the end')
    written[yes]! &= memory
    written[no]! &= memory
  }
  if ((program[length - 1]!.code & 7) !== 6) throw bad(length - 1, 'the last one must return')
}

const fields = [
  ['code', 0xffff],
  ['jt', 0xff],
  ['jf', 0xff],
  ['k', 0xffffffff],
] as const

function checkFields(at: number, instruction: Instruction): void {
  for (const [name, max] of fields) {
    const value = instruction[name]
    // Also false of what is no number.
    if (value >>> 0 === value && value <= max) continue
    throw outOfRange(`program[${at}].${name}`, `an integer >= 0 and <= ${max}`, value)
  }
}

function bad(at: number, reason: string): FilterError {
  return new FilterError(`Instruction ${at} is refused: ${reason}`, { expression: '', offset: at, length: 1 })
}
