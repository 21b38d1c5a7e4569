import { invalidArgumentType } from '../errors/index.js'
import { FilterError } from './filter-error.js'
import { type Instruction, kernelLimit } from './instruction.js'
import { execute, type FilterMetadata, flatten } from './interpreter.js'
import { printProgram } from './printer.js'
import { verify } from './verifier.js'

/** A program of classic BPF that has been checked. */
export class FilterProgram {
  readonly instructions: readonly Readonly<Instruction>[]
  readonly #flat: Int32Array

  /** Takes a copy. A {@link FilterError} says what is wrong with a program that could fail to end. */
  constructor(instructions: readonly Instruction[]) {
    if (!Array.isArray(instructions)) throw invalidArgumentType('instructions', 'an array', instructions)
    for (const one of instructions) {
      if (typeof one !== 'object' || one === null)
        throw invalidArgumentType('instructions', 'an array of objects', one)
    }
    verify(instructions)
    this.instructions = instructions.map(({ code, jt, jf, k }) => ({ code, jt, jf, k }))
    this.#flat = flatten(this.instructions)
  }

  /** False for programs that the kernel refuses for their length: more than 4096 instructions. */
  get fitsKernel(): boolean {
    return this.instructions.length <= kernelLimit
  }

  /**
   * An array of `struct sock_filter` (linux/filter.h), eight bytes each: 16 bits `code`, 8 bits `jt`, 8 bits `jf`, 32
   * bits `k`. Little endian unless asked otherwise.
   */
  bytes(options: { littleEndian?: boolean } = {}): Uint8Array {
    const { littleEndian = true } = options
    const bytes = new Uint8Array(this.instructions.length * 8)
    const view = new DataView(bytes.buffer)
    this.instructions.forEach(({ code, jt, jf, k }, index) => {
      view.setUint16(index * 8, code, littleEndian)
      view.setUint8(index * 8 + 2, jt)
      view.setUint8(index * 8 + 3, jf)
      view.setUint32(index * 8 + 4, k, littleEndian)
    })
    return bytes
  }

  /** Whether the packet passes. */
  match(packet: Uint8Array, metadata?: FilterMetadata): boolean {
    return this.run(packet, metadata) !== 0
  }

  /** How many bytes of the packet the program wants, 0 if it refuses it; may be more than there are. */
  run(packet: Uint8Array, metadata?: FilterMetadata): number {
    return execute(this.#flat, packet, metadata)
  }

  /** As `tcpdump -d` prints programs. */
  toString(): string {
    return printProgram(this.instructions)
  }

  /** As `tcpdump -ddd` prints programs: their length, then a line of four decimal numbers for each instruction. */
  toDecimal(): string {
    const lines = this.instructions.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`)
    return [this.instructions.length, ...lines].join('\n')
  }
}

/** Runs a program on a packet: how many bytes of it are wanted, 0 if it is refused. */
export function runFilter(program: FilterProgram, packet: Uint8Array, metadata?: FilterMetadata): number {
  if (!(program instanceof FilterProgram)) throw invalidArgumentType('program', 'a FilterProgram', program)
  if (!(packet instanceof Uint8Array)) throw invalidArgumentType('packet', 'a Uint8Array', packet)
  return program.run(packet, metadata)
}

/**
 * A program made elsewhere: the text of `tcpdump -ddd`, or an array of instructions, as objects or as
 * `[code, jt, jf, k]`. It is checked as the kernel checks programs, but for their length.
 */
export function parseFilterProgram(
  program: string | readonly (Instruction | readonly [number, number, number, number])[],
): FilterProgram {
  if (typeof program === 'string') return new FilterProgram(parseDecimal(program))
  if (!Array.isArray(program)) throw invalidArgumentType('program', 'a string or an array', program)
  return new FilterProgram(
    program.map(one => {
      if (!Array.isArray(one)) return one as Instruction
      if (one.length !== 4) throw invalidArgumentType('program', 'instructions of four numbers', one)
      const [code, jt, jf, k] = one as unknown as [number, number, number, number]
      return { code, jt, jf, k }
    }),
  )
}

/** Lines, or numbers separated by commas as iptables and `tc` take them. */
function parseDecimal(text: string): Instruction[] {
  const lines = text.split(/[\n,]/)
  let at = 0
  const instructions: Instruction[] = []
  let count: number | undefined
  for (const line of lines) {
    const words = line.trim()
    const fail = (reason: string) =>
      new FilterError(reason, { expression: text, offset: at, length: line.length })
    if (words !== '') {
      if (!/^[\d ]+$/.test(words)) throw fail('A program consists of decimal numbers')
      const numbers = words.split(/ +/).map(Number)
      if (count === undefined) {
        if (numbers.length !== 1) throw fail('A program begins with the number of its instructions')
        count = numbers[0]!
      } else {
        if (numbers.length !== 4) throw fail('An instruction has four numbers')
        const [code, jt, jf, k] = numbers as [number, number, number, number]
        instructions.push({ code, jt, jf, k })
      }
    }
    at += line.length + 1
  }
  if (count === undefined || count !== instructions.length) {
    throw new FilterError(
      `The program has ${instructions.length} instructions and says ${count ?? 'nothing'}`,
      {
        expression: text,
        offset: 0,
        length: 0,
      },
    )
  }
  return instructions
}
