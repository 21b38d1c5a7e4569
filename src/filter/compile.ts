import { parseIpv4 } from '../address/index.js'
import { readUint32 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import { assemble, TooComplex } from './assembler.js'
import { FilterError } from './filter-error.js'
import { type Decision, Graph } from './graph.js'
import { extensions, memoryWords } from './instruction.js'
import { type FilterLinkType, filterLinkTypes, linkLayer } from './link-layer.js'
import { lower } from './lower.js'
import { optimize } from './optimizer.js'
import { parse } from './parser.js'
import { Position, type TagPlace } from './position.js'
import { FilterProgram } from './program.js'
import type { Syntax } from './syntax.js'
import { Values } from './value.js'

export interface FilterOptions {
  /** What the packets begin with. Default `'ethernet'`. */
  linkType?: FilterLinkType | undefined
  /**
   * For packets of a live packet socket: the outermost VLAN tag may be beside the packet, and sockets of the cooked
   * link types have no link header. Default false: for packets of files, whose bytes are complete.
   */
  live?: boolean | undefined
  /** How many bytes of an accepted packet are wanted: 1 to 0xffffffff. Default 262144. */
  snapLength?: number | undefined
  /** Mask of the IPv4 network, which `ip broadcast` needs: `'255.255.255.0'`. */
  netmask?: string | undefined
  /** The addresses of a host name, as text. Without it names of hosts are refused; nothing is looked up here. */
  resolve?: ((name: string) => readonly string[]) | undefined
}

/** The memory that the arithmetic of a filter has for itself. */
const reserved = 6

/**
 * Compiles an expression of tcpdump's filter language (pcap-filter(7)). An empty one takes every packet. A
 * {@link FilterError} says where it is wrong; as with tcpdump, a filter that no packet can pass is wrong.
 */
export function compileFilter(expression: string, options?: FilterOptions): FilterProgram {
  if (typeof expression !== 'string') throw invalidArgumentType('expression', 'a string', expression)
  const settings = checkOptions(options)
  const tree = parse(expression)
  if (tree === undefined) return new FilterProgram([{ code: 0x06, jt: 0, jf: 0, k: settings.snapLength }])
  const values = new Values()
  const graph = new Graph(values)
  let taken = 0
  const slots = {
    take: (count: number) => {
      if (taken + count > memoryWords - reserved) return undefined
      taken += count
      return taken - count
    },
  }
  const layer = linkLayer(settings.linkType, settings.live)
  const variant = (tag: TagPlace): Decision => {
    const position = new Position(values, layer, tag)
    const before = taken
    const condition = lower(tree, position, { ...settings, expression, slots })
    // Where tunnels begin is looked at behind `or` too, where they may not have been found.
    const zero = values.constant(0)
    const clear = Array.from({ length: taken - before }, (_, i) => ({ slot: before + i, value: zero }))
    const root = graph.build(condition, graph.accept, graph.reject)
    return optimize(graph, clear.length === 0 ? root : graph.store(clear, root))
  }
  let root: Decision
  if (settings.live && settings.linkType === 'ethernet' && hasVlan(tree)) {
    const present = values.extension(extensions.vlanTagPresent)
    root = graph.test('=', present, values.constant(0), variant('inline'), variant('beside'))
  } else root = variant('inline')
  if (root === graph.reject) {
    throw new FilterError('No packet can pass this filter', {
      expression,
      offset: 0,
      length: expression.length,
    })
  }
  try {
    return new FilterProgram(assemble(root, settings.snapLength, taken))
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error
    const place = { expression, offset: 0, length: expression.length }
    throw new FilterError('The arithmetic is nested too deeply for a filter', place)
  }
}

interface Settings {
  linkType: FilterLinkType
  live: boolean
  snapLength: number
  netmask: number | undefined
  resolve: ((name: string) => readonly string[]) | undefined
}

function checkOptions(options: FilterOptions | undefined): Settings {
  const known = ['linkType', 'live', 'snapLength', 'netmask', 'resolve'] as const
  const {
    linkType = 'ethernet',
    live = false,
    snapLength = 262144,
    netmask,
    resolve,
  } = requireOptions('options', options, known)
  if (typeof linkType !== 'string' || !Object.hasOwn(filterLinkTypes, linkType)) {
    throw invalidArgumentValue(
      'options.linkType',
      linkType,
      `must be one of ${Object.keys(filterLinkTypes).join(', ')}`,
    )
  }
  if (typeof live !== 'boolean') throw invalidArgumentType('options.live', 'a boolean', live)
  requireInteger('options.snapLength', snapLength, 1, 0xffffffff)
  if (resolve !== undefined && typeof resolve !== 'function') {
    throw invalidArgumentType('options.resolve', 'a function', resolve)
  }
  if (netmask !== undefined && typeof netmask !== 'string') {
    throw invalidArgumentType('options.netmask', 'a string', netmask)
  }
  const mask = netmask === undefined ? undefined : readUint32(parseIpv4(netmask), 0)
  // The bits of the host are the last ones: one less than a power of two.
  if (mask !== undefined && (~mask & (~mask + 1)) !== 0) {
    throw invalidArgumentValue('options.netmask', netmask, 'must be ones, and then zeros')
  }
  return { linkType, live, snapLength, netmask: mask, resolve }
}

function hasVlan(tree: Syntax): boolean {
  if (tree.kind === 'and' || tree.kind === 'or') return tree.terms.some(hasVlan)
  if (tree.kind === 'not') return hasVlan(tree.term)
  return tree.kind === 'keyword' && tree.word === 'vlan'
}
