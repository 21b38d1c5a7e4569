import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import {
  compileFilter,
  type FilterLinkType,
  type FilterProgram,
  filterLinkTypes,
} from '../../filter/index.js'
import { frameFlags, linkTypes } from '../../frames/index.js'
import {
  type CaptureReader,
  type FileBatch,
  type FileLinkType,
  isFileBatch,
  linkTypeName,
  readCapture,
} from '../../pcap/index.js'
import { UsageError } from '../command.js'
import type { PacketSink } from './packet-sink.js'

export interface FileReading {
  path: string
  filter: string
  netmask: string | undefined
  /** Most packets. */
  count: number | undefined
  direction: 'in' | 'out' | undefined
  signal: AbortSignal
}

/** Reads a capture file into sinks; how many packets went there. */
export async function readCaptureFile(reading: FileReading, sinks: readonly PacketSink[]): Promise<number> {
  const { path, signal } = reading
  const filters = new FileFilters(reading)
  // Told at once where it is wrong, though it may be needed for another link type only.
  filters.of('ethernet')
  const source = path === '-' ? process.stdin : createReadStream('', { fd: await open(path) })
  // A pipe may be silent.
  const stop = () => source.destroy()
  signal.addEventListener('abort', stop)
  try {
    return await pass(readCapture(source), reading, filters, sinks)
  } catch (error) {
    if (!signal.aborted) throw error
    return 0
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function pass(
  capture: CaptureReader,
  { path, count = Number.POSITIVE_INFINITY, direction, signal }: FileReading,
  filters: FileFilters,
  sinks: readonly PacketSink[],
): Promise<number> {
  let packets = 0
  for await (const item of capture.items()) {
    if (signal.aborted || sinks.some(sink => sink.closed)) break
    if (!isFileBatch(item)) {
      for (const sink of sinks) await sink.item?.(item)
      continue
    }
    const frames = chosen(item, filters.of(item.linkType), direction, count - packets)
    packets += frames?.length ?? item.count
    if (frames?.length !== 0) for (const sink of sinks) await sink.take(item, frames)
    if (packets >= count) break
  }
  if (capture.cut)
    process.stderr.write(`netloom: ${path} ends within a packet, at byte ${capture.cut.offset}\n`)
  return packets
}

/** The frames that pass; `undefined` where all do. */
function chosen(
  batch: FileBatch,
  program: FilterProgram | undefined,
  direction: 'in' | 'out' | undefined,
  most: number,
): number[] | undefined {
  if (program === undefined && direction === undefined && batch.count <= most) return undefined
  const { slab, offsets, lengths, originalLengths, flags } = batch
  const wanted = direction === 'in' ? frameFlags.inbound : frameFlags.outbound
  const frames: number[] = []
  for (let i = 0; i < batch.count && frames.length < most; i++) {
    const known = (flags?.[i] ?? 0) & frameFlags.directionMask
    if (direction !== undefined && known !== wanted) continue
    const metadata = {
      length: originalLengths[i]!,
      direction: known === frameFlags.outbound ? ('outbound' as const) : ('inbound' as const),
    }
    const frame = slab.subarray(offsets[i]!, offsets[i]! + lengths[i]!)
    if (program === undefined || program.match(frame, metadata)) frames.push(i)
  }
  return frames
}

/** A program for each link type of a file. */
class FileFilters {
  readonly #expression: string
  readonly #netmask: string | undefined
  readonly #programs = new Map<FileLinkType, FilterProgram>()

  constructor({ filter, netmask }: FileReading) {
    this.#expression = filter
    this.#netmask = netmask
  }

  of(linkType: FileLinkType): FilterProgram | undefined {
    if (this.#expression === '') return undefined
    let program = this.#programs.get(linkType)
    if (program === undefined) {
      const options = { linkType: filterLinkType(linkType), netmask: this.#netmask }
      program = compileFilter(this.#expression, options)
      this.#programs.set(linkType, program)
    }
    return program
  }
}

function filterLinkType(linkType: FileLinkType): FilterLinkType {
  const number = typeof linkType === 'number' ? linkType : linkTypes[linkType]
  const found = Object.entries(filterLinkTypes).find(([, value]) => value === number)
  if (found === undefined)
    throw new UsageError(`there are no filters for packets of ${linkTypeName(linkType)}`)
  return found[0] as FilterLinkType
}
