import { invalidArgumentType, invalidArgumentValue, requireOptions } from '../errors/index.js'
import { compileFilter, type FilterMetadata, FilterProgram } from '../filter/index.js'
import { type FrameBatch, frameFlags, type LinkType } from '../frames/index.js'
import { FilteredBatches } from './filtered-batches.js'
import { type BatchIterator, type ReaderKind, readAs } from './ownership.js'
import type { FramePort, ReceiveOptions, WaitOptions } from './port.js'
import { SelectedBatch } from './selected-batch.js'
import { WrappedPort } from './wrapped-port.js'

export interface FilterPortOptions {
  /** Addresses of a host name in the filter, as text; without it names of hosts are refused. */
  resolve?: ((name: string) => readonly string[]) | undefined
  /** Mask of the IPv4 network, which `ip broadcast` in the filter needs: `'255.255.255.0'`. */
  netmask?: string | undefined
}

/**
 * The port, of which only those frames are read that pass a filter: an expression of tcpdump's language, or a program.
 * What is sent is not filtered. A frame passes as it would in a live capture: its VLAN tag may be in its bytes or in
 * the column `vlans`, and it is `inbound` unless the column `flags` says otherwise.
 *
 *     for await (const packet of packets(filter(tap, 'udp port 53'))) console.log(describe(packet))
 *
 * @throws FilterError for an expression that is wrong
 */
export function filter<L extends LinkType>(
  port: FramePort<L>,
  filter: string | FilterProgram,
  options?: FilterPortOptions,
): FramePort<L> {
  const { resolve, netmask } = requireOptions('options', options, ['resolve', 'netmask'])
  if (typeof filter !== 'string' && !(filter instanceof FilterProgram))
    throw invalidArgumentType('filter', 'a string or a FilterProgram', filter)
  const linkType: LinkType = port.linkType
  if (linkType === 'user0') {
    throw invalidArgumentValue('port.linkType', linkType, 'has no words in the filter language')
  }
  const live = linkType === 'ethernet'
  const program =
    typeof filter === 'string' ? compileFilter(filter, { linkType, live, resolve, netmask }) : filter
  return new FilterPort(port, batch => select(batch, program))
}

class FilterPort<L extends LinkType> extends WrappedPort<L> {
  readonly #select: (batch: FrameBatch<L>) => FrameBatch<L> | undefined

  constructor(inner: FramePort<L>, select: (batch: FrameBatch<L>) => FrameBatch<L> | undefined) {
    super(inner)
    this.#select = select
  }

  override tryReceive(options?: ReceiveOptions): FrameBatch<L> | undefined {
    for (;;) {
      const batch = super.tryReceive(options)
      if (!batch) return undefined
      const selected = this.#select(batch)
      if (selected) return selected
      batch.release()
    }
  }

  override [readAs](kind: ReaderKind, options?: ReceiveOptions & WaitOptions): BatchIterator<L> {
    return new FilteredBatches(super[readAs](kind, options), this.#select)
  }
}

/** The frames that pass; the batch itself where all do. */
function select<L extends LinkType>(batch: FrameBatch<L>, program: FilterProgram): FrameBatch<L> | undefined {
  const { slab, offsets, lengths, count } = batch
  const passed = new Uint32Array(count)
  let passing = 0
  for (let i = 0; i < count; i++) {
    const frame = slab.subarray(offsets[i]!, offsets[i]! + lengths[i]!)
    if (program.match(frame, metadata(batch, i))) passed[passing++] = i
  }
  if (passing === count) return batch
  return passing === 0 ? undefined : new SelectedBatch(batch, passed.subarray(0, passing))
}

function metadata({ originalLengths, flags, vlans, interfaces }: FrameBatch, i: number): FilterMetadata {
  const tag = vlans?.[i] ?? 0
  const direction = (flags?.[i] ?? 0) & frameFlags.directionMask
  return {
    length: originalLengths?.[i],
    direction: direction === frameFlags.outbound ? 'outbound' : 'inbound',
    interface: interfaces?.[i],
    vlan: tag === 0 ? undefined : { tci: tag & 0xffff, protocol: tag >>> 16 },
  }
}
