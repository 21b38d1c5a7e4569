import { type IpFamily, parseIpPrefix } from '../../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  requireInteger,
  requireOptions,
} from '../../errors/index.js'
import {
  type FixedPart,
  littleEndian,
  MessageWriter,
  malformed,
  NLM_F,
  type Payload,
  payloadOf,
  type RawAttribute,
  type Request,
  readIpAddress,
  wordOf,
} from '../core/index.js'
import { AF, FIB_RULE, FR_ACT, FRA, netloomProtocol, RTM } from './constants.js'
import type { LinkReference } from './link-reference.js'

export type RuleAction = keyof typeof FR_ACT

/** Both ends belong to it. */
export interface NumberRange {
  readonly low: number
  readonly high: number
}

/** Which table a packet's route is looked up in: policy routing, rules in the order of their priorities. */
export interface Rule {
  readonly family: IpFamily
  readonly priority: number
  /** With a length; `undefined` for any. */
  readonly from: string | undefined
  readonly to: string | undefined
  /** It is for packets that do not match. */
  readonly not: boolean
  /** Names, as the kernel keeps them: the links need not exist. */
  readonly inputLink: string | undefined
  readonly outputLink: string | undefined
  readonly mark: number | undefined
  readonly markMask: number | undefined
  readonly tos: number | undefined
  readonly dscp: number | undefined
  /** Number of the protocol: 6 TCP, 17 UDP. */
  readonly ipProtocol: number | undefined
  readonly sourcePorts: NumberRange | undefined
  readonly destinationPorts: NumberRange | undefined
  readonly uids: NumberRange | undefined
  readonly tunnelId: bigint | undefined
  readonly action: RuleAction
  /** Of `lookup`, unless it is `l3mdev`. */
  readonly table: number | undefined
  /** The table is that of the VRF of the packet's link. */
  readonly l3mdev: boolean
  /** Priority of the rule that `goto` leads to. */
  readonly target: number | undefined
  /** A route that is found is passed over if its prefix is no longer than this, or its link is in this group. */
  readonly suppressPrefixLength: number | undefined
  readonly suppressGroup: number | undefined
  /** Realms, in the high 16 bits those of the source; IPv4. */
  readonly realms: number | undefined
  /** Who made it, as of routes; 78 Netloom. */
  readonly protocol: number
  /** Of `goto`: there is no such rule yet. */
  readonly unresolved: boolean
  /** There is no such link now. */
  readonly inputDetached: boolean
  readonly outputDetached: boolean
  /** Attributes that are not told otherwise. */
  readonly raw: readonly RawAttribute[]
}

export interface RuleOptions {
  /** Needed where neither `from` nor `to` tell. */
  family?: IpFamily | undefined
  /** Default: one less than the lowest that is not 0. */
  priority?: number | undefined
  from?: string | undefined
  to?: string | undefined
  not?: boolean | undefined
  /** A name is taken as it is, even if there is no such link yet. */
  inputLink?: LinkReference | undefined
  outputLink?: LinkReference | undefined
  mark?: number | undefined
  /** Default: all bits. */
  markMask?: number | undefined
  tos?: number | undefined
  /** Linux 6.13 or later. */
  dscp?: number | undefined
  ipProtocol?: number | undefined
  sourcePorts?: number | NumberRange | undefined
  destinationPorts?: number | NumberRange | undefined
  uids?: number | NumberRange | undefined
  tunnelId?: bigint | undefined
  /** Default `lookup`; `goto` where there is a target. */
  action?: RuleAction | undefined
  table?: number | undefined
  l3mdev?: boolean | undefined
  target?: number | undefined
  suppressPrefixLength?: number | undefined
  suppressGroup?: number | undefined
  realms?: number | undefined
  /** Default 78, Netloom's. */
  protocol?: number | undefined
}

export const ruleOptionNames = [
  'family',
  'priority',
  'from',
  'to',
  'not',
  'inputLink',
  'outputLink',
  'mark',
  'markMask',
  'tos',
  'dscp',
  'ipProtocol',
  'sourcePorts',
  'destinationPorts',
  'uids',
  'tunnelId',
  'action',
  'table',
  'l3mdev',
  'target',
  'suppressPrefixLength',
  'suppressGroup',
  'realms',
  'protocol',
] as const satisfies readonly (keyof RuleOptions)[]

/** Options with links as names. */
export type ResolvedRule = Omit<RuleOptions, 'inputLink' | 'outputLink'> & {
  inputLink?: string | undefined
  outputLink?: string | undefined
}

/** Bytes of struct fib_rule_hdr. */
const headerLength = 12
const allBits = 0xffff_ffff
/** What the kernel says in the place of nothing to suppress. */
const nothing = 0xffff_ffff

/** `undefined` for rules of another family than IP. @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readRule(payload: Payload): Rule | undefined {
  const number = payload.u8(0)
  if (number !== AF.INET && number !== AF.INET6) return undefined
  const action = wordOf(FR_ACT, payload.u8(7))
  const flags = payload.u32(8)
  const rule = {
    family: (number === AF.INET ? 4 : 6) as IpFamily,
    priority: 0,
    from: undefined as string | undefined,
    to: undefined as string | undefined,
    not: (flags & FIB_RULE.INVERT) !== 0,
    inputLink: undefined as string | undefined,
    outputLink: undefined as string | undefined,
    mark: undefined as number | undefined,
    markMask: undefined as number | undefined,
    tos: payload.u8(3) || undefined,
    dscp: undefined as number | undefined,
    ipProtocol: undefined as number | undefined,
    sourcePorts: undefined as NumberRange | undefined,
    destinationPorts: undefined as NumberRange | undefined,
    uids: undefined as NumberRange | undefined,
    tunnelId: undefined as bigint | undefined,
    action,
    table: payload.u8(4) || undefined,
    l3mdev: false,
    target: undefined as number | undefined,
    suppressPrefixLength: undefined as number | undefined,
    suppressGroup: undefined as number | undefined,
    realms: undefined as number | undefined,
    protocol: 0,
    unresolved: (flags & FIB_RULE.UNRESOLVED) !== 0,
    inputDetached: (flags & FIB_RULE.IIF_DETACHED) !== 0,
    outputDetached: (flags & FIB_RULE.OIF_DETACHED) !== 0,
    raw: [] as RawAttribute[],
  }
  const attributes = payload.attributes(headerLength)
  while (attributes.next()) {
    switch (attributes.type) {
      case FRA.PRIORITY:
        rule.priority = attributes.u32()
        break
      case FRA.SRC:
        rule.from = `${readIpAddress(attributes)}/${payload.u8(2)}`
        break
      case FRA.DST:
        rule.to = `${readIpAddress(attributes)}/${payload.u8(1)}`
        break
      case FRA.IIFNAME:
        rule.inputLink = attributes.string()
        break
      case FRA.OIFNAME:
        rule.outputLink = attributes.string()
        break
      case FRA.FWMARK:
        rule.mark = attributes.u32()
        rule.markMask ??= allBits
        break
      case FRA.FWMASK:
        rule.markMask = attributes.u32()
        break
      case FRA.DSCP:
        rule.dscp = attributes.u8()
        break
      case FRA.IP_PROTO:
        rule.ipProtocol = attributes.u8()
        break
      case FRA.SPORT_RANGE:
        rule.sourcePorts = ports(attributes.u32())
        break
      case FRA.DPORT_RANGE:
        rule.destinationPorts = ports(attributes.u32())
        break
      case FRA.UID_RANGE:
        rule.uids = { low: attributes.u32(), high: attributes.u32(4) }
        break
      case FRA.TUN_ID:
        rule.tunnelId = swapped(attributes.u64())
        break
      case FRA.TABLE:
        rule.table = attributes.u32() || undefined
        break
      case FRA.L3MDEV:
        rule.l3mdev = attributes.u8() !== 0
        break
      case FRA.GOTO:
        rule.target = attributes.u32()
        break
      case FRA.SUPPRESS_PREFIXLEN:
        rule.suppressPrefixLength = given(attributes.u32())
        break
      case FRA.SUPPRESS_IFGROUP:
        rule.suppressGroup = given(attributes.u32())
        break
      case FRA.FLOW:
        rule.realms = attributes.u32()
        break
      case FRA.PROTOCOL:
        rule.protocol = attributes.u8()
        break
      default:
        rule.raw.push(attributes.raw())
    }
  }
  if (rule.action !== 'lookup') rule.table = undefined
  return rule
}

function given(value: number): number | undefined {
  return value === nothing ? undefined : value
}

/** struct fib_rule_port_range, two 16-bit numbers in the machine's order. */
function ports(pair: number): NumberRange {
  return littleEndian ? { low: pair & 0xffff, high: pair >>> 16 } : { low: pair >>> 16, high: pair & 0xffff }
}

/** Between network and machine order. */
function swapped(value: bigint): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, value, littleEndian)
  return view.getBigUint64(0)
}

function header(options: {
  family: number
  toLength?: number
  fromLength?: number
  tos?: number
  table?: number
  action?: number
  flags?: number
}): FixedPart {
  return {
    length: headerLength,
    write(view, at) {
      view.setUint8(at, options.family)
      view.setUint8(at + 1, options.toLength ?? 0)
      view.setUint8(at + 2, options.fromLength ?? 0)
      view.setUint8(at + 3, options.tos ?? 0)
      view.setUint8(at + 4, options.table ?? 0)
      view.setUint8(at + 7, options.action ?? 0)
      view.setUint32(at + 8, options.flags ?? 0, littleEndian)
    },
  }
}

/** The kernel has no filter but the family. */
export function listRulesRequest(family: IpFamily): Request {
  return new MessageWriter({
    type: RTM.GETRULE,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    header: header({ family: family === 4 ? AF.INET : AF.INET6 }),
    name: 'rule',
  }).finish()
}

/** @throws TypeError, RangeError */
export function changeRuleRequest(
  type: typeof RTM.NEWRULE | typeof RTM.DELRULE,
  flags: number,
  rule: ResolvedRule,
): Request {
  const creating = type === RTM.NEWRULE
  const from = rule.from === undefined ? undefined : parseIpPrefix(rule.from)
  const to = rule.to === undefined ? undefined : parseIpPrefix(rule.to)
  const family = rule.family ?? from?.family ?? to?.family
  if (family === undefined) {
    throw invalidArgumentValue('family', family, 'is needed where neither `from` nor `to` tells it')
  }
  if (family !== 4 && family !== 6) throw invalidArgumentValue('family', family, 'must be 4 or 6')
  for (const [name, prefix] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (prefix && prefix.family !== family) {
      throw invalidArgumentValue(name, rule[name], `must be of IPv${family}`)
    }
  }
  const action = actionOf(rule, creating)
  if (rule.dscp !== undefined) requireInteger('dscp', rule.dscp, 0, 63)
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | flags,
    header: header({
      family: family === 4 ? AF.INET : AF.INET6,
      toLength: to?.length ?? 0,
      fromLength: from?.length ?? 0,
      tos: requireInteger('tos', rule.tos ?? 0, 0, 255),
      action: action === undefined ? 0 : FR_ACT[action],
      flags: truth('not', rule.not) ? FIB_RULE.INVERT : 0,
    }),
    name: 'rule',
  })
  if (rule.priority !== undefined) writer.u32(FRA.PRIORITY, 'priority', rule.priority)
  if (from && from.length > 0) writer.bytes(FRA.SRC, 'from', from.bytes)
  if (to && to.length > 0) writer.bytes(FRA.DST, 'to', to.bytes)
  if (rule.inputLink !== undefined) writer.string(FRA.IIFNAME, 'inputLink', rule.inputLink)
  if (rule.outputLink !== undefined) writer.string(FRA.OIFNAME, 'outputLink', rule.outputLink)
  if (rule.mark !== undefined) writer.u32(FRA.FWMARK, 'mark', rule.mark)
  if (rule.markMask !== undefined) writer.u32(FRA.FWMASK, 'markMask', rule.markMask)
  if (rule.dscp !== undefined) writer.u8(FRA.DSCP, 'dscp', rule.dscp)
  if (rule.ipProtocol !== undefined) writer.u8(FRA.IP_PROTO, 'ipProtocol', rule.ipProtocol)
  for (const [number, name] of [
    [FRA.SPORT_RANGE, 'sourcePorts'],
    [FRA.DPORT_RANGE, 'destinationPorts'],
  ] as const) {
    const range = rangeOf(name, rule[name], 1, 0xfffe)
    if (range) writer.bytes(number, name, new Uint8Array(Uint16Array.of(...range).buffer))
  }
  const uids = rangeOf('uids', rule.uids, 0, 0xffff_fffe)
  if (uids) writer.bytes(FRA.UID_RANGE, 'uids', new Uint8Array(Uint32Array.of(...uids).buffer))
  if (rule.tunnelId !== undefined) {
    if (typeof rule.tunnelId !== 'bigint') throw invalidArgumentType('tunnelId', 'a bigint', rule.tunnelId)
    if (rule.tunnelId < 0n || rule.tunnelId >= 1n << 64n) {
      throw invalidArgumentValue('tunnelId', rule.tunnelId, 'must fit 64 bits')
    }
    writer.u64(FRA.TUN_ID, 'tunnelId', swapped(rule.tunnelId))
  }
  if (rule.table !== undefined) {
    writer.u32(FRA.TABLE, 'table', requireInteger('table', rule.table, 1, 0xffff_ffff))
  }
  if (truth('l3mdev', rule.l3mdev)) writer.u8(FRA.L3MDEV, 'l3mdev', 1)
  if (rule.target !== undefined) writer.u32(FRA.GOTO, 'target', rule.target)
  if (rule.suppressPrefixLength !== undefined) {
    const length = requireInteger(
      'suppressPrefixLength',
      rule.suppressPrefixLength,
      0,
      family === 4 ? 32 : 128,
    )
    writer.u32(FRA.SUPPRESS_PREFIXLEN, 'suppressPrefixLength', length)
  }
  if (rule.suppressGroup !== undefined) {
    writer.u32(FRA.SUPPRESS_IFGROUP, 'suppressGroup', rule.suppressGroup)
  }
  if (rule.realms !== undefined) writer.u32(FRA.FLOW, 'realms', rule.realms)
  const protocol = rule.protocol ?? (creating ? netloomProtocol : undefined)
  if (protocol !== undefined) writer.u8(FRA.PROTOCOL, 'protocol', protocol)
  return writer.finish()
}

/** A deletion that does not say matches every action. */
function actionOf(rule: ResolvedRule, creating: boolean): RuleAction | undefined {
  const { action, target, table, l3mdev } = rule
  if (action !== undefined && !Object.hasOwn(FR_ACT, action)) {
    throw invalidArgumentValue('action', action, `must be one of ${Object.keys(FR_ACT).join(', ')}`)
  }
  const known = action ?? (target !== undefined ? 'goto' : creating ? 'lookup' : undefined)
  if (!creating) return known
  if (known === 'lookup' && table === undefined && !l3mdev) {
    throw invalidArgumentValue('table', table, 'is needed for a lookup')
  }
  if (known !== 'lookup' && (table !== undefined || l3mdev)) {
    throw invalidArgumentValue('action', known, 'does not go with a table')
  }
  if (table !== undefined && l3mdev) throw invalidArgumentValue('table', table, 'does not go with `l3mdev`')
  if ((known === 'goto') !== (target !== undefined)) {
    throw invalidArgumentValue('target', target, 'is needed for `goto`, and for nothing else')
  }
  return known
}

function truth(name: string, value: boolean | undefined): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
  return value === true
}

function rangeOf(
  name: string,
  value: number | NumberRange | undefined,
  min: number,
  max: number,
): [number, number] | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number') {
    requireInteger(name, value, min, max)
    return [value, value]
  }
  const { low, high } = requireOptions(name, value, ['low', 'high'])
  requireInteger(`${name}.low`, low, min, max)
  requireInteger(`${name}.high`, high, low, max)
  return [low, high]
}

/** What the kernel will make of a request. */
export function ruleOfRequest(request: Request): Rule {
  const rule = readRule(payloadOf(request))
  if (!rule) throw malformed('a rule of no family')
  return rule
}
