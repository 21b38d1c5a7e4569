/**
 * tcpdump's filter language, compiled to classic BPF, and a machine that runs it.
 *
 * `compileFilter` makes a program for packets of files or of a live packet socket; `parseFilterProgram` takes one
 * that was made elsewhere. Either is a `FilterProgram`: instructions for the kernel, `match()` for packets in memory.
 * What is wrong with an expression or a program is a `FilterError` with its place.
 *
 * Pure; loads on any platform. May use `errors`, `bytes`, `address`.
 */
export { compileFilter, type FilterOptions } from './compile.js'
export { FilterError, type FilterErrorDetails } from './filter-error.js'
export type { Instruction } from './instruction.js'
export type { FilterMetadata } from './interpreter.js'
export { type FilterLinkType, filterLinkTypes } from './link-layer.js'
export { FilterProgram, parseFilterProgram, runFilter } from './program.js'
