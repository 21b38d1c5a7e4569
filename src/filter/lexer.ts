import { parseIpv6 } from '../address/index.js'
import { FilterError } from './filter-error.js'
import { constantNames } from './names.js'

export type TokenKind = 'word' | 'name' | 'number' | 'dotted' | 'ip6' | 'mac' | 'operator' | 'end'

/** One word of a filter. `number` is set for numbers and the names of constants; `bytes` for addresses. */
export interface Token {
  kind: TokenKind
  text: string
  offset: number
  length: number
  number?: number
  bytes?: Uint8Array
}

/** The words of the language; each is only itself unless a backslash stands before it. */
export const keywords: ReadonlySet<string> = new Set(
  `dst src link ether arp rarp ip sctp tcp udp icmp igmp igrp pim vrrp carp ip6 icmp6 ah esp atalk aarp decnet lat
   sca moprc mopdl iso stp ipx netbeui host net mask port portrange proto protochain gateway less greater byte
   broadcast multicast and or not len length inbound outbound ifindex vlan mpls pppoed pppoes geneve vxlan llc
   ppp slip fddi tr wlan radio esis es-is isis is-is l1 l2 iih lsp snp csnp psnp clnp type subtype direction dir
   address1 addr1 address2 addr2 address3 addr3 address4 addr4 ra ta lane metac bcc oam oamf4 oamf4ec oamf4sc sc
   ilmic vpi vci connectmsg metaconnect on ifname rset ruleset rnr rulenum srnr subrulenum reason action fisu lssu
   lsu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls`.split(/\s+/),
)

const synonyms: Readonly<Record<string, string>> = {
  length: 'len',
  link: 'ether',
  '==': '=',
  '&&': 'and',
  '||': 'or',
}

const byte = '[0-9A-Fa-f]{1,2}'
const patterns = {
  space: /[ \r\n\t]+/y,
  mac: new RegExp(
    `(?:${byte}(?::${byte}){5}|${byte}(?:-${byte}){5}|${byte}(?:\\.${byte}){5}|` +
      `[0-9A-Fa-f]{4}\\.[0-9A-Fa-f]{4}\\.[0-9A-Fa-f]{4}|[0-9A-Fa-f]{12})`,
    'y',
  ),
  ip6: /(?:[0-9A-Fa-f]{0,4}:){2,8}(?:\d+\.\d+\.\d+\.\d+|[0-9A-Fa-f]{1,4})?/y,
  dotted: /\d+(?:\.\d+){1,3}/y,
  number: /0[xX][0-9A-Fa-f]+|\d+/y,
  word: /[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?/y,
  escaped: /\\[^ !()\n\t]+/y,
  operator: />=|<=|!=|==|<<|>>|&&|\|\||[+\-*/%:[\]!<>()&|^=]/y,
}

/** A filter longer than this, in characters, is refused. */
const maxLength = 4 * 1024 * 1024

/** The words of `expression`, the last of which is the end. */
export function tokenize(expression: string): Token[] {
  if (expression.length > maxLength) {
    throw new FilterError('The filter is too long', { expression: '', offset: maxLength, length: 0 })
  }
  const tokens: Token[] = []
  let at = 0
  while (at < expression.length) {
    const space = match(patterns.space, expression, at)
    if (space !== '') {
      at += space.length
      continue
    }
    const token = next(expression, at)
    tokens.push(token)
    at += token.length
  }
  tokens.push({ kind: 'end', text: '', offset: expression.length, length: 0 })
  return tokens
}

/** The longest word wins; of equally long ones, the first kind here. */
function next(expression: string, offset: number): Token {
  const mac = match(patterns.mac, expression, offset)
  const ip6 = match(patterns.ip6, expression, offset)
  const dotted = match(patterns.dotted, expression, offset)
  const number = match(patterns.number, expression, offset)
  const word = match(patterns.word, expression, offset)
  const longest = Math.max(mac.length, ip6.length, dotted.length, number.length, word.length)
  const token = (kind: TokenKind, text: string): Token => ({ kind, text, offset, length: text.length })
  const fail = (reason: string, length: number, suggestion?: string) =>
    new FilterError(reason, { expression, offset, length, suggestion })
  if (longest === 0) return other(expression, offset, token)
  if (word.length === longest && (keywords.has(word) || Object.hasOwn(constantNames, word))) {
    const named = Object.hasOwn(constantNames, word) ? constantNames[word] : undefined
    if (named !== undefined) return { ...token('number', word), number: named }
    return { ...token('word', synonyms[word] ?? word), length: word.length }
  }
  if (mac.length === longest) return { ...token('mac', mac), bytes: macBytes(mac) }
  if (number.length === longest) {
    const value = numberValue(number)
    if (typeof value === 'string') throw fail(`The number ${value}`, number.length)
    return { ...token('number', number), number: value }
  }
  if (dotted.length === longest) return token('dotted', dotted)
  if (ip6.length === longest) {
    try {
      return { ...token('ip6', ip6), bytes: parseIpv6(ip6) }
    } catch {
      throw fail(
        'This is neither an IPv6 nor an Ethernet address',
        ip6.length,
        'write 2001:db8::1 or 2:0:0:0:0:1',
      )
    }
  }
  return token('name', word)
}

function other(expression: string, offset: number, token: (kind: TokenKind, text: string) => Token): Token {
  const operator = match(patterns.operator, expression, offset)
  if (operator === '&&' || operator === '||') {
    return { ...token('word', synonyms[operator]!), length: 2 }
  }
  if (operator === '!') return { ...token('word', 'not'), length: 1 }
  if (operator !== '')
    return { ...token('operator', synonyms[operator] ?? operator), length: operator.length }
  const escaped = match(patterns.escaped, expression, offset)
  if (escaped !== '') return { ...token('name', escaped.slice(1)), length: escaped.length }
  const point = expression.codePointAt(offset)!
  throw new FilterError('This character has no meaning in a filter', {
    expression,
    offset,
    length: point > 0xffff ? 2 : 1,
  })
}

function match(pattern: RegExp, text: string, offset: number): string {
  pattern.lastIndex = offset
  return pattern.exec(text)?.[0] ?? ''
}

/** Decimal, octal after `0`, hexadecimal after `0x`; or what is wrong with it. */
function numberValue(text: string): number | string {
  const radix = /^0x/i.test(text) ? 16 : text.length > 1 && text.startsWith('0') ? 8 : 10
  if (radix === 8 && /[89]/.test(text)) return 'begins with 0 and so is octal, but has a digit 8 or 9'
  const value = Number.parseInt(radix === 16 ? text.slice(2) : text, radix)
  return value > 0xffffffff ? 'does not fit in 32 bits' : value
}

function macBytes(text: string): Uint8Array {
  const parts = text.includes('.') && text.length === 14 ? [text.replaceAll('.', '')] : text.split(/[:.-]/)
  const digits = parts.length === 1 ? parts[0]!.match(/../g)! : parts
  return Uint8Array.from(digits, digit => Number.parseInt(digit, 16))
}
