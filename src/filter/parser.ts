import { FilterError } from './filter-error.js'
import { keywords, type Token, tokenize } from './lexer.js'
import { nearest } from './names.js'
import type {
  AddressType,
  Arithmetic,
  ArithmeticOperator,
  Place,
  Qualifiers,
  Relation,
  Syntax,
} from './syntax.js'

const protocols = new Set(
  `ether ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp igrp pim vrrp carp ah esp atalk aarp decnet lat sca moprc
   mopdl iso stp ipx netbeui`.split(/\s+/),
)
const addressTypes: ReadonlySet<string> = new Set<AddressType>([
  'host',
  'net',
  'port',
  'portrange',
  'proto',
  'protochain',
  'gateway',
])
const relations: ReadonlySet<string> = new Set<Relation>(['=', '!=', '<', '<=', '>', '>='])
/** How tightly each binds. `%` binds as `*` does, `^` between `|` and `&`. */
const precedence: Readonly<Record<ArithmeticOperator, number>> = {
  '|': 1,
  '^': 2,
  '&': 3,
  '<<': 4,
  '>>': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
}
const tightest = 7
const maxDepth = 200

/** Words with an optional number, with one that must be there, and with none. */
const optionalNumber = new Set(['vlan', 'mpls', 'pppoes', 'geneve', 'vxlan'])
const requiredNumber = new Set(['less', 'greater', 'ifindex'])
const alone = new Set(['inbound', 'outbound', 'pppoed'])

/** The tree of an expression; `undefined` for an empty one, which takes every packet. */
export function parse(expression: string): Syntax | undefined {
  return new Parser(expression).program()
}

class Parser {
  readonly #expression: string
  readonly #tokens: Token[]
  /** For each opening parenthesis, where it is closed. */
  readonly #closing = new Map<number, number>()
  #at = 0
  #depth = 0
  /** What an address without qualifiers inherits. */
  #inherited: Qualifiers | undefined

  constructor(expression: string) {
    this.#expression = expression
    this.#tokens = tokenize(expression)
    const open: number[] = []
    this.#tokens.forEach((token, index) => {
      if (token.kind !== 'operator') return
      if (token.text === '(') open.push(index)
      else if (token.text === ')' && open.length > 0) this.#closing.set(open.pop()!, index)
    })
  }

  program(): Syntax | undefined {
    if (this.#tokens.length === 1) return undefined
    const tree = this.#expressionUntilClose()
    if (this.#token.kind !== 'end') throw this.#unexpected('`and`, `or` or the end')
    return tree
  }

  get #token(): Token {
    return this.#tokens[this.#at]!
  }

  #is(text: string): boolean {
    const token = this.#token
    return (token.kind === 'word' || token.kind === 'operator') && token.text === text
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false
    this.#at++
    return true
  }

  #need(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(`\`${text}\``)
  }

  /** Terms joined by `and` and `or`, which bind alike, from left to right. */
  #expressionUntilClose(): Syntax {
    let tree = this.#term()
    for (;;) {
      const kind = this.#take('and') ? 'and' : this.#take('or') ? 'or' : undefined
      if (kind === undefined) return tree
      tree = join(kind, tree, this.#startsIdentifier() ? this.#identifier() : this.#term())
    }
  }

  /** Whether an address or number that inherits its qualifiers follows, looking past `not` and parentheses. */
  #startsIdentifier(): boolean {
    let at = this.#at
    for (; ; at++) {
      const token = this.#tokens[at]!
      if (token.kind === 'operator' && token.text === '(') {
        if (this.#isArithmetic(at)) return false
        continue
      }
      if (token.kind === 'word' && token.text === 'not') continue
      if (token.kind === 'number') return !startsOperation(this.#tokens[at + 1]!)
      return ['name', 'dotted', 'ip6', 'mac'].includes(token.kind)
    }
  }

  /** Whether the parenthesis at `at` encloses a number: then an operator follows its end. */
  #isArithmetic(at: number): boolean {
    const close = this.#closing.get(at)
    return close !== undefined && startsOperation(this.#tokens[close + 1]!)
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > maxDepth) throw this.#error('The filter is nested too deeply', this.#token)
    const result = parse()
    this.#depth--
    return result
  }

  /** An address or number, or several in parentheses, with the qualifiers of what came before. */
  #identifier(): Syntax {
    let negated = false
    while (this.#take('not')) negated = !negated
    const tree = this.#take('(')
      ? this.#nested(() => {
          let list = this.#identifier()
          for (;;) {
            const kind = this.#take('and') ? 'and' : this.#take('or') ? 'or' : undefined
            if (kind === undefined) break
            list = join(kind, list, this.#identifier())
          }
          this.#need(')')
          return list
        })
      : this.#value()
    return negated ? { kind: 'not', term: tree } : tree
  }

  #value(): Syntax {
    const token = this.#token
    if (!['name', 'dotted', 'ip6', 'mac', 'number'].includes(token.kind)) {
      throw this.#unexpected('an address, a number or a name')
    }
    const qualifiers = this.#inherited
    if (qualifiers === undefined) {
      throw this.#error('Nothing says what this is', token, {
        expected: 'a qualifier before it',
        suggestion: token.kind === 'number' ? `write port ${token.text}` : `write host ${token.text}`,
      })
    }
    this.#at++
    const { offset, length } = token
    const value = { kind: 'identifier', qualifiers, value: token, offset, length } as const
    if ((token.kind === 'dotted' || token.kind === 'ip6') && this.#take('/')) {
      const prefix = this.#token
      if (prefix.kind !== 'number') throw this.#unexpected('a prefix length')
      this.#at++
      return { ...value, prefix, length: prefix.offset + prefix.length - offset }
    }
    if (token.kind === 'dotted' && this.#take('mask')) {
      const mask = this.#token
      if (mask.kind !== 'dotted') throw this.#unexpected('a mask such as 255.255.255.0')
      this.#at++
      return { ...value, mask, length: mask.offset + mask.length - offset }
    }
    return value
  }

  #term(): Syntax {
    let negated = false
    while (this.#take('not')) negated = !negated
    const tree = this.#plainTerm()
    return negated ? { kind: 'not', term: tree } : tree
  }

  #plainTerm(): Syntax {
    const token = this.#token
    if (token.kind === 'number' || this.#is('-') || this.#is('len')) return this.#relation()
    if (this.#is('(')) {
      if (this.#isArithmetic(this.#at)) return this.#relation()
      this.#at++
      const outer = this.#inherited
      const tree = this.#nested(() => this.#expressionUntilClose())
      this.#need(')')
      this.#inherited = outer
      return tree
    }
    if (token.kind !== 'word') {
      throw this.#unexpected('a protocol, a qualifier or a comparison')
    }
    if (protocols.has(token.text)) {
      const following = this.#tokens[this.#at + 1]!
      if (following.kind === 'operator' && following.text === '[') return this.#relation()
    }
    return this.#keyword() ?? this.#qualified()
  }

  #keyword(): Syntax | undefined {
    const { text, offset, length } = this.#token
    if (text === 'byte') return this.#byteComparison()
    if (!optionalNumber.has(text) && !requiredNumber.has(text) && !alone.has(text)) return undefined
    this.#at++
    let argument: number | undefined
    if (requiredNumber.has(text)) argument = this.#number(`a number after \`${text}\``)
    else if (optionalNumber.has(text)) argument = this.#optionalArgument()
    this.#inherited = undefined
    const last = this.#tokens[this.#at - 1]!
    return {
      kind: 'keyword',
      word: text,
      argument,
      offset,
      length: Math.max(length, last.offset + last.length - offset),
    }
  }

  #number(expected: string): number {
    const token = this.#token
    if (token.kind !== 'number') throw this.#unexpected(expected)
    this.#at++
    return token.number!
  }

  /** A number, perhaps in parentheses; none if something else follows. */
  #optionalArgument(): number | undefined {
    let at = this.#at
    while (this.#tokens[at]!.kind === 'operator' && this.#tokens[at]!.text === '(') at++
    if (this.#tokens[at]!.kind !== 'number') return undefined
    const open = at - this.#at
    this.#at = at
    const argument = this.#number('a number')
    for (let i = 0; i < open; i++) this.#need(')')
    return argument
  }

  /** `byte 3 = 7`, an old way to write `ether[3] = 7`. */
  #byteComparison(): Syntax {
    const { offset } = this.#token
    this.#at++
    const index = this.#number('the index of a byte')
    const operator = this.#token.text
    if (!['=', '<', '>', '&', '|'].includes(operator)) throw this.#unexpected('one of = < > & |')
    this.#at++
    const value = this.#number('a value')
    const last = this.#tokens[this.#at - 1]!
    const place = { offset, length: last.offset + last.length - offset }
    const load: Arithmetic = {
      kind: 'load',
      protocol: 'ether',
      index: { kind: 'number', value: index, ...place },
      size: 1,
      ...place,
    }
    const right: Arithmetic = { kind: 'number', value, ...place }
    this.#inherited = undefined
    if (operator !== '&' && operator !== '|') {
      return { kind: 'relation', operator: operator as Relation, left: load, right, ...place }
    }
    const left: Arithmetic = { kind: 'binary', operator, left: load, right, ...place }
    return { kind: 'relation', operator: '!=', left, right: { kind: 'number', value: 0, ...place }, ...place }
  }

  /** `[protocol] [direction] [type] address`, a protocol alone, or `[protocol] broadcast`. */
  #qualified(): Syntax {
    const start = this.#token
    const protocol = protocols.has(start.text) ? start.text : undefined
    if (protocol !== undefined) this.#at++
    for (const word of ['broadcast', 'multicast']) {
      if (!this.#take(word)) continue
      this.#inherited = undefined
      return { kind: 'keyword', word, protocol, ...this.#since(start) }
    }
    const direction = this.#direction()
    let type: AddressType | undefined
    const token = this.#token
    if (token.kind === 'word' && addressTypes.has(token.text)) {
      type = token.text as AddressType
      if (direction !== undefined && (type === 'proto' || type === 'protochain' || type === 'gateway')) {
        throw this.#unexpected('host, net, port, portrange or an address')
      }
      this.#at++
    }
    if (direction === undefined && type === undefined) {
      if (protocol === undefined) throw this.#unsupported(start)
      this.#inherited = undefined
      return { kind: 'protocol', name: protocol, offset: start.offset, length: start.length }
    }
    this.#inherited = { protocol, direction, type, ...this.#since(start) }
    return this.#identifier()
  }

  #direction(): Qualifiers['direction'] {
    const first = this.#is('src') ? 'src' : this.#is('dst') ? 'dst' : undefined
    if (first === undefined) return undefined
    this.#at++
    const other = first === 'src' ? 'dst' : 'src'
    const link = this.#token
    const after = this.#tokens[this.#at + 1]
    if (link.kind !== 'word' || (link.text !== 'or' && link.text !== 'and')) return first
    if (after?.kind !== 'word' || after.text !== other) return first
    this.#at += 2
    return link.text
  }

  #relation(): Syntax {
    const start = this.#token
    const left = this.#arithmetic(1)
    const operator = this.#token
    if (operator.kind !== 'operator' || !relations.has(operator.text)) {
      const lone = left.kind === 'number'
      throw this.#error(operator.kind === 'end' ? 'The filter ends too early' : 'Unexpected', operator, {
        expected: 'a comparison: = != < <= > >=',
        suggestion: lone ? `write port ${left.value} if it is a port` : undefined,
      })
    }
    this.#at++
    const right = this.#arithmetic(1)
    this.#inherited = undefined
    return { kind: 'relation', operator: operator.text as Relation, left, right, ...this.#since(start) }
  }

  #arithmetic(least: number): Arithmetic {
    const start = this.#token
    let left = this.#nested(() => this.#operand())
    for (;;) {
      const token = this.#token
      const operator = token.text as ArithmeticOperator
      const binds =
        token.kind === 'operator' && Object.hasOwn(precedence, operator) ? precedence[operator] : 0
      if (binds < least) return left
      this.#at++
      const right = this.#arithmetic(binds + 1)
      left = { kind: 'binary', operator, left, right, ...this.#since(start) }
    }
  }

  #operand(): Arithmetic {
    const start = this.#token
    if (this.#take('-')) return { kind: 'negate', operand: this.#arithmetic(tightest), ...this.#since(start) }
    if (this.#take('(')) {
      const inner = this.#arithmetic(1)
      this.#need(')')
      return inner
    }
    this.#at++
    if (start.kind === 'number') return { kind: 'number', value: start.number!, ...this.#since(start) }
    if (start.kind === 'word' && start.text === 'len') return { kind: 'length', ...this.#since(start) }
    if (start.kind === 'word' && protocols.has(start.text)) return this.#load(start)
    this.#at--
    throw this.#unexpected('a number, `len` or bytes such as ip[0]')
  }

  #load(start: Token): Arithmetic {
    this.#need('[')
    const index = this.#arithmetic(1)
    let size = 1
    if (this.#take(':')) {
      const token = this.#token
      size = this.#number('1, 2 or 4 bytes')
      if (size !== 1 && size !== 2 && size !== 4) {
        throw this.#error('A field has 1, 2 or 4 bytes', token)
      }
    }
    this.#need(']')
    return { kind: 'load', protocol: start.text, index, size: size as 1 | 2 | 4, ...this.#since(start) }
  }

  #since(start: Place): Place {
    const last = this.#tokens[Math.max(0, this.#at - 1)]!
    return { offset: start.offset, length: Math.max(0, last.offset + last.length - start.offset) }
  }

  #unsupported(token: Token): FilterError {
    const known = ['and', 'or', 'not', 'mask'].includes(token.text)
    return known
      ? this.#unexpected('a protocol, a qualifier or a comparison')
      : this.#error('This word is not supported by this compiler or link type', token)
  }

  #unexpected(expected: string): FilterError {
    const token = this.#token
    if (token.kind === 'end') return this.#error('The filter ends too early', token, { expected })
    const before = this.#tokens[this.#at - 1]
    const word = token.kind === 'name' ? nearest(token.text, keywords) : undefined
    let suggestion = word === undefined ? undefined : `did you mean \`${word}\`?`
    if (word === undefined && token.kind === 'word' && before?.text === 'proto') {
      suggestion = `write \\${token.text}, since ${token.text} is a word of the language`
    }
    return this.#error('Unexpected', token, { expected, suggestion })
  }

  #error(
    reason: string,
    place: Place,
    more: { expected?: string; suggestion?: string | undefined } = {},
  ): FilterError {
    return new FilterError(reason, {
      expression: this.#expression,
      offset: place.offset,
      length: place.length,
      ...more,
    })
  }
}

function startsOperation(token: Token): boolean {
  return token.kind === 'operator' && (relations.has(token.text) || Object.hasOwn(precedence, token.text))
}

/** Long lists become one wide node, so that the tree is no deeper than its parentheses. */
function join(kind: 'and' | 'or', left: Syntax, right: Syntax): Syntax {
  if (left.kind !== kind) return { kind, terms: [left, right] }
  left.terms.push(right)
  return left
}
