import type { Token } from './lexer.js'

/** Where in the text something stands. */
export interface Place {
  offset: number
  length: number
}

export type AddressType = 'host' | 'net' | 'port' | 'portrange' | 'proto' | 'protochain' | 'gateway'

/** What stands before an address, a port or a number, and is inherited by those that follow `and` and `or`. */
export interface Qualifiers extends Place {
  protocol: string | undefined
  /** `or` is written out: `src or dst`. */
  direction: 'src' | 'dst' | 'or' | 'and' | undefined
  type: AddressType | undefined
}

export type Arithmetic =
  | ({ kind: 'number'; value: number } & Place)
  | ({ kind: 'length' } & Place)
  | ({ kind: 'load'; protocol: string; index: Arithmetic; size: 1 | 2 | 4 } & Place)
  | ({ kind: 'negate'; operand: Arithmetic } & Place)
  | ({ kind: 'binary'; operator: ArithmeticOperator; left: Arithmetic; right: Arithmetic } & Place)

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>'
export type Relation = '=' | '!=' | '<' | '<=' | '>' | '>='

export type Syntax =
  | { kind: 'and' | 'or'; terms: Syntax[] }
  | { kind: 'not'; term: Syntax }
  | ({ kind: 'identifier'; qualifiers: Qualifiers; value: Token; prefix?: Token; mask?: Token } & Place)
  | ({ kind: 'protocol'; name: string } & Place)
  | ({ kind: 'relation'; operator: Relation; left: Arithmetic; right: Arithmetic } & Place)
  /** `vlan 5`, `less 100`, `ip multicast`, `inbound`. */
  | ({ kind: 'keyword'; word: string; protocol?: string | undefined; argument?: number | undefined } & Place)
