/** Numbers that a program computes from a packet: 32 bits, unsigned. */

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>'

/** Equal values are the same object, so that `id` tells them apart. */
export type Value = { readonly id: number } & (
  | { readonly kind: 'constant'; readonly value: number }
  /** 1, 2 or 4 bytes of the packet at `base` + `offset`. */
  | {
      readonly kind: 'load'
      readonly size: 1 | 2 | 4
      readonly base: Value | undefined
      readonly offset: number
    }
  /** Four times the low nibble of a byte: the length of an IPv4 header. */
  | { readonly kind: 'header'; readonly offset: number }
  | { readonly kind: 'length' }
  /** A fact that the kernel keeps beside the packet (`SKF_AD_*`). */
  | { readonly kind: 'extension'; readonly number: number }
  | { readonly kind: 'memory'; readonly slot: number }
  | { readonly kind: 'negate'; readonly operand: Value }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: Value
      readonly right: Value
    }
)

type Shape = Value extends infer V ? (V extends { readonly id: number } ? Omit<V, 'id'> : never) : never

/** Makes values, each once, and computes what is known beforehand. */
export class Values {
  readonly #known = new Map<string, Value>()

  constant(value: number): Value {
    const number = value >>> 0
    return this.#intern(`c${number}`, { kind: 'constant', value: number })
  }

  load(size: 1 | 2 | 4, offset: number, base?: Value): Value {
    const at = offset >>> 0
    if (base?.kind === 'constant') return this.load(size, base.value + at)
    return this.#intern(`l${size},${at},${base?.id ?? ''}`, { kind: 'load', size, base, offset: at })
  }

  header(offset: number): Value {
    return this.#intern(`h${offset}`, { kind: 'header', offset })
  }

  length(): Value {
    return this.#intern('n', { kind: 'length' })
  }

  extension(number: number): Value {
    return this.#intern(`e${number}`, { kind: 'extension', number })
  }

  memory(slot: number): Value {
    return this.#intern(`m${slot}`, { kind: 'memory', slot })
  }

  negate(operand: Value): Value {
    if (operand.kind === 'constant') return this.constant(-operand.value)
    return this.#intern(`-${operand.id}`, { kind: 'negate', operand })
  }

  binary(operator: BinaryOperator, left: Value, right: Value): Value {
    if (left.kind === 'constant' && right.kind === 'constant') {
      return this.constant(compute(operator, left.value, right.value))
    }
    if (right.kind === 'constant') {
      if (right.value === 0 && '+-|^<<>>'.includes(operator)) return left
      if (right.value === 1 && '*/'.includes(operator)) return left
      if (right.value === 0xffffffff && operator === '&') return left
    }
    if (left.kind === 'constant' && '+*&|^'.includes(operator)) return this.binary(operator, right, left)
    return this.#intern(`${left.id}${operator}${right.id}`, { kind: 'binary', operator, left, right })
  }

  #intern(key: string, shape: Shape): Value {
    let value = this.#known.get(key)
    if (value === undefined) {
      value = { id: this.#known.size, ...shape } as Value
      this.#known.set(key, value)
    }
    return value
  }
}

/**
 * What a classic BPF machine computes. A division by zero is the caller's to prevent; a shift by more than 31 bits
 * leaves nothing.
 */
export function compute(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return (left + right) >>> 0
    case '-':
      return (left - right) >>> 0
    case '*':
      return Math.imul(left, right) >>> 0
    case '/':
      return Math.floor(left / right) >>> 0
    case '%':
      return (left % right) >>> 0
    case '&':
      return (left & right) >>> 0
    case '|':
      return (left | right) >>> 0
    case '^':
      return (left ^ right) >>> 0
    case '<<':
      return right > 31 ? 0 : (left << right) >>> 0
    case '>>':
      return right > 31 ? 0 : left >>> right
  }
}
