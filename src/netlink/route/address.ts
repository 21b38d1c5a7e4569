import { formatIpAddress, type IpFamily, parseIpAddress, parseIpPrefix } from '../../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  requireBoolean,
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
  type RawAttribute,
  type Request,
  readIpAddress,
  wordOf,
} from '../core/index.js'
import type { Change, LinkIndex } from './change.js'
import { AF, IFA, IFA_F, RT_SCOPE, RTM } from './constants.js'
import { describeLink, type LinkReference } from './link-reference.js'

export type AddressScope = keyof typeof RT_SCOPE

/** An IP address on a link. */
export interface Address {
  readonly family: IpFamily
  readonly address: string
  readonly prefixLength: number
  /** Index of the link. */
  readonly link: number
  /** The other end of a point-to-point link. */
  readonly peer: string | undefined
  readonly broadcast: string | undefined
  /** IPv4: the link's name, or it with a suffix. */
  readonly label: string | undefined
  readonly scope: AddressScope
  /** IPv6: duplicate address detection is under way; the address cannot be used yet. */
  readonly tentative: boolean
  /** IPv6: another host has it. */
  readonly duplicate: boolean
  /** IPv4: one of several in a network; IPv6: made for privacy. */
  readonly secondary: boolean
  readonly deprecated: boolean
  readonly permanent: boolean
  /** No route to its network came with it. */
  readonly noPrefixRoute: boolean
  /** IPv6: it was, or is, used without duplicate address detection, or before its end. */
  readonly noDad: boolean
  readonly optimistic: boolean
  /** IPv6: of a mobile node's home (RFC 6275). */
  readonly home: boolean
  /** IPv6: the kernel makes temporary addresses for privacy in its network (RFC 8981). */
  readonly manageTemporary: boolean
  /** IPv6: made by RFC 7217. */
  readonly stablePrivacy: boolean
  /** Of multicast: its group was joined with it. */
  readonly autoJoin: boolean
  /** Who made it, as far as it was said: 0 nobody said, 1 to 3 the kernel; include/uapi/linux/if_addr.h, IFAPROT_*. */
  readonly protocol: number
  /** Seconds that it stays usable, or preferred; `undefined` for ever. */
  readonly validSeconds: number | undefined
  readonly preferredSeconds: number | undefined
  /** Of the route to its network. */
  readonly metric: number | undefined
  /** Attributes that are not told otherwise. */
  readonly raw: readonly RawAttribute[]
}

export interface AddressOptions {
  link: LinkReference
  /** `10.0.0.1/24`; without a length it stands alone. */
  address: string
  peer?: string | undefined
  /** IPv4. */
  broadcast?: string | undefined
  label?: string | undefined
  /** Default: `host` for 127.0.0.0/8, otherwise what the kernel makes of it. */
  scope?: AddressScope | undefined
  noPrefixRoute?: boolean | undefined
  /** IPv6: of a mobile node's home. */
  home?: boolean | undefined
  /** IPv6, of a network of 64 bits: the kernel makes temporary addresses in it where `use_tempaddr` is set. */
  manageTemporary?: boolean | undefined
  /** Of multicast: its group is joined, for as long as it is there. */
  autoJoin?: boolean | undefined
  /** Who makes it, 0 to 255. Linux 5.18 or later; others pass it over. */
  protocol?: number | undefined
  metric?: number | undefined
  validSeconds?: number | undefined
  preferredSeconds?: number | undefined
  /**
   * IPv6 duplicate address detection (RFC 4862 section 5.4). `wait` (default) resolves when the address can be
   * used, or at once while the link has no carrier; `start` does not wait; `skip` does without.
   */
  dad?: 'wait' | 'start' | 'skip' | undefined
}

export const addressOptions = [
  'link',
  'address',
  'peer',
  'broadcast',
  'label',
  'scope',
  'noPrefixRoute',
  'home',
  'manageTemporary',
  'autoJoin',
  'protocol',
  'metric',
  'validSeconds',
  'preferredSeconds',
  'dad',
] as const satisfies readonly (keyof AddressOptions)[]

/** Bytes of struct ifaddrmsg. */
const headerLength = 8
const forever = 0xffff_ffff

const flagBits = {
  noPrefixRoute: IFA_F.NOPREFIXROUTE,
  home: IFA_F.HOMEADDRESS,
  manageTemporary: IFA_F.MANAGETEMPADDR,
  autoJoin: IFA_F.MCAUTOJOIN,
} as const

const none: readonly never[] = Object.freeze([])

/** @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readAddress(payload: Payload): Address {
  const family = payload.u8(0)
  if (family !== AF.INET && family !== AF.INET6) throw malformed(`an address of family ${family}`)
  let flags = payload.u8(2)
  let local: string | undefined
  let remote: string | undefined
  let broadcast: string | undefined
  let label: string | undefined
  let metric: number | undefined
  let protocol = 0
  let raw: RawAttribute[] | undefined
  let preferred = forever
  let valid = forever
  const attributes = payload.attributes(headerLength)
  while (attributes.next()) {
    switch (attributes.type) {
      case IFA.ADDRESS:
        remote = readIpAddress(attributes)
        break
      case IFA.LOCAL:
        local = readIpAddress(attributes)
        break
      case IFA.BROADCAST:
        broadcast = readIpAddress(attributes)
        break
      case IFA.LABEL:
        label = attributes.string()
        break
      case IFA.FLAGS:
        flags = attributes.u32()
        break
      case IFA.RT_PRIORITY:
        metric = attributes.u32()
        break
      case IFA.PROTO:
        protocol = attributes.u8()
        break
      case IFA.CACHEINFO:
        preferred = attributes.u32(0)
        valid = attributes.u32(4)
        break
      default:
        raw ??= []
        raw.push(attributes.raw())
    }
  }
  // IFA_ADDRESS is the address itself, except where there is another end.
  const address = local ?? remote
  if (address === undefined) throw malformed('an address message without an address')
  return {
    family: family === AF.INET ? 4 : 6,
    address,
    prefixLength: payload.u8(1),
    link: payload.u32(4),
    peer: remote === address ? undefined : remote,
    broadcast,
    label,
    scope: wordOf(RT_SCOPE, payload.u8(3)),
    tentative: (flags & IFA_F.TENTATIVE) !== 0,
    duplicate: (flags & IFA_F.DADFAILED) !== 0,
    secondary: (flags & IFA_F.SECONDARY) !== 0,
    deprecated: (flags & IFA_F.DEPRECATED) !== 0,
    permanent: (flags & IFA_F.PERMANENT) !== 0,
    noPrefixRoute: (flags & IFA_F.NOPREFIXROUTE) !== 0,
    noDad: (flags & IFA_F.NODAD) !== 0,
    optimistic: (flags & IFA_F.OPTIMISTIC) !== 0,
    home: (flags & IFA_F.HOMEADDRESS) !== 0,
    manageTemporary: (flags & IFA_F.MANAGETEMPADDR) !== 0,
    stablePrivacy: (flags & IFA_F.STABLE_PRIVACY) !== 0,
    autoJoin: (flags & IFA_F.MCAUTOJOIN) !== 0,
    protocol,
    validSeconds: valid === forever ? undefined : valid,
    preferredSeconds: preferred === forever ? undefined : preferred,
    metric,
    raw: raw ?? none,
  }
}

function header(family: number, prefixLength: number, scope: number, link: number): FixedPart {
  return {
    length: headerLength,
    write(view, at) {
      view.setUint8(at, family)
      view.setUint8(at + 1, prefixLength)
      view.setUint8(at + 3, scope)
      view.setUint32(at + 4, link, littleEndian)
    },
  }
}

export function listAddressesRequest(link: number | undefined, family: IpFamily | undefined): Request {
  const number = family === undefined ? AF.UNSPEC : family === 4 ? AF.INET : AF.INET6
  return new MessageWriter({
    type: RTM.GETADDR,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    header: header(number, 0, 0, link ?? 0),
    name: 'address',
  }).finish()
}

/** @throws TypeError, RangeError */
export function changeAddressRequest(
  type: typeof RTM.NEWADDR | typeof RTM.DELADDR,
  flags: number,
  link: number,
  options: Omit<AddressOptions, 'link'>,
): Request {
  const prefix = parseIpPrefix(options.address, 'address')
  const { family, bytes } = prefix
  const scope = options.scope ?? (family === 4 && bytes[0] === 127 ? 'host' : 'universe')
  if (!Object.hasOwn(RT_SCOPE, scope)) {
    throw invalidArgumentValue('scope', scope, `must be one of ${Object.keys(RT_SCOPE).join(', ')}`)
  }
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | flags,
    header: header(family === 4 ? AF.INET : AF.INET6, prefix.length, RT_SCOPE[scope], link),
    name: 'address',
  })
  const other = (name: 'peer' | 'broadcast') => {
    const text = options[name]
    if (text === undefined) return undefined
    const parsed = parseIpAddress(text)
    if (parsed.family !== family) throw invalidArgumentValue(name, text, `must be an IPv${family} address`)
    return parsed.bytes
  }
  writer.bytes(IFA.LOCAL, 'address', bytes)
  const peer = other('peer')
  writer.bytes(IFA.ADDRESS, peer ? 'peer' : 'address', peer ?? bytes)
  if (type === RTM.DELADDR) return writer.finish()
  const broadcast = other('broadcast')
  if (broadcast) writer.bytes(IFA.BROADCAST, 'broadcast', broadcast)
  if (options.label !== undefined) {
    if (typeof options.label !== 'string') throw invalidArgumentType('label', 'a string', options.label)
    writer.string(IFA.LABEL, 'label', options.label)
  }
  if (options.metric !== undefined) writer.u32(IFA.RT_PRIORITY, 'metric', options.metric)
  let bits = 0
  for (const [name, bit] of Object.entries(flagBits)) {
    if (requireBoolean(name, options[name as keyof typeof flagBits])) bits |= bit
  }
  for (const name of ['home', 'manageTemporary'] as const) {
    if (options[name] && family === 4) throw invalidArgumentValue(name, true, 'is for IPv6')
  }
  if (options.dad === 'skip' && family === 6) bits |= IFA_F.NODAD
  if (bits !== 0) writer.u32(IFA.FLAGS, 'flags', bits)
  const { protocol, validSeconds, preferredSeconds } = options
  if (protocol !== undefined) writer.u8(IFA.PROTO, 'protocol', protocol)
  if (validSeconds !== undefined || preferredSeconds !== undefined) {
    const lifetimes = new Uint8Array(16)
    const view = new DataView(lifetimes.buffer)
    const seconds = (name: string, value: number | undefined) =>
      value === undefined ? forever : requireInteger(name, value, 0, forever - 1)
    view.setUint32(0, seconds('preferredSeconds', preferredSeconds ?? validSeconds), littleEndian)
    view.setUint32(4, seconds('validSeconds', validSeconds), littleEndian)
    writer.bytes(IFA.CACHEINFO, 'validSeconds', lifetimes)
  }
  return writer.finish()
}

/** `10.0.0.1/24` in canonical spelling, and its parts. */
export function canonicalAddress(text: string): { family: IpFamily; address: string; prefixLength: number } {
  const { family, bytes, length } = parseIpPrefix(text)
  return { family, address: formatIpAddress(bytes), prefixLength: length }
}

/** What can be done with an address, and how the kernel is told. */
export const addressVerbs = {
  create: { type: RTM.NEWADDR, flags: NLM_F.CREATE | NLM_F.EXCL },
  replace: { type: RTM.NEWADDR, flags: NLM_F.CREATE | NLM_F.REPLACE },
  delete: { type: RTM.DELADDR, flags: 0 },
} as const

/** @throws TypeError, RangeError; what `index` throws */
export function addressChange(
  verb: keyof typeof addressVerbs,
  options: Pick<AddressOptions, 'link' | 'address'> & Partial<AddressOptions>,
  index: LinkIndex,
): Change {
  const { link, dad = 'start', ...rest } = requireOptions('options', options, addressOptions)
  if (dad !== 'start' && dad !== 'skip') {
    throw invalidArgumentValue('options.dad', dad, "must be 'start' or 'skip' in a batch")
  }
  const { type, flags } = addressVerbs[verb]
  const request = changeAddressRequest(type, flags, index(link), { ...rest, dad })
  return { request, operation: `${verb} address`, subject: `${options.address} on ${describeLink(link)}` }
}

/** What {@link changeAddressRequest} would refuse, without a link. @throws TypeError, RangeError */
export function checkAddress(options: Omit<AddressOptions, 'link'>): void {
  requireOptions('address', options, addressOptions.slice(1) as never[])
  changeAddressRequest(RTM.NEWADDR, 0, 1, options)
}
