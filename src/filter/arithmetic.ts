import { and, type Condition, not, test } from './condition.js'
import { type Location, type Position, Unsupported } from './position.js'
import { ipProtocol, protocolNamed, transportNumber } from './protocols.js'
import type { Arithmetic, Relation, Syntax } from './syntax.js'
import type { Value } from './value.js'

/** A comparison. It is false where a protocol that it names is absent. */
export function lowerRelation(tree: Extract<Syntax, { kind: 'relation' }>, position: Position): Condition {
  const required: Condition[] = []
  const left = value(tree.left, position, required)
  const right = value(tree.right, position, required)
  const swap = left.kind === 'constant' && right.kind !== 'constant'
  const compared = swap ? compare(mirrored[tree.operator], right, left) : compare(tree.operator, left, right)
  return and(...required, compared)
}

const mirrored: Readonly<Record<Relation, Relation>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
}

function compare(operator: Relation, left: Value, right: Value): Condition {
  switch (operator) {
    case '=':
    case '>':
    case '>=':
      return test(operator, left, right)
    case '!=':
      return not(test('=', left, right))
    case '<':
      return not(test('>=', left, right))
    case '<=':
      return not(test('>', left, right))
  }
}

/** The value of a term; what must hold for it to mean something is put into `required`. */
function value(tree: Arithmetic, position: Position, required: Condition[]): Value {
  const { values } = position
  switch (tree.kind) {
    case 'number':
      return values.constant(tree.value)
    case 'length':
      return values.length()
    case 'negate':
      return values.negate(value(tree.operand, position, required))
    case 'binary': {
      const left = value(tree.left, position, required)
      const right = value(tree.right, position, required)
      const { operator } = tree
      if (right.kind === 'constant') {
        if ((operator === '/' || operator === '%') && right.value === 0)
          throw new Unsupported('This divides by zero')
        if ((operator === '<<' || operator === '>>') && right.value > 31) {
          throw new Unsupported('Numbers have 32 bits, which a shift by more than 31 removes')
        }
      }
      return values.binary(operator, left, right)
    }
    case 'load': {
      const index = value(tree.index, position, required)
      const at = location(tree.protocol, position, required)
      if (index.kind === 'constant') {
        const offset = (at.offset + index.value) >>> 0
        if (offset > 0x7fffffff) throw new Unsupported('No packet has a byte there')
        return values.load(tree.size, offset, at.base)
      }
      const base = at.base === undefined ? index : values.binary('+', index, at.base)
      return values.load(tree.size, at.offset, base)
    }
  }
}

/** Where the header of a protocol begins, and what must hold for it to be there. */
function location(protocol: string, position: Position, required: Condition[]): Location {
  switch (protocol) {
    case 'ether':
      if (position.kind === 'link' && position.link.protocol.kind === 'extension') {
        throw new Unsupported('A live capture of this link type has no link header')
      }
      return position.header
    case 'tcp':
    case 'udp':
    case 'sctp':
    case 'icmp':
    case 'igmp':
    case 'igrp':
    case 'pim':
    case 'vrrp':
    case 'carp':
      required.push(ipProtocol(position, transportNumber(protocol), 'ip'), position.notLaterFragment)
      return position.transport()
    case 'icmp6':
      required.push(position.ip6, position.equals(position.load(1, position.network, 6), 58))
      return { base: position.network.base, offset: position.network.offset + 40 }
    case 'ah':
    case 'esp':
    case 'iso':
    case 'stp':
    case 'ipx':
    case 'netbeui':
      throw new Unsupported(`The bytes of \`${protocol}\` cannot be asked for`, 'count from ip or ether')
    default:
      required.push(protocolNamed(position, protocol))
      return position.network
  }
}
