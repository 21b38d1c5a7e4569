/** Errors for bad arguments, with the classes and codes that Node itself uses. */

export function invalidArgumentType(name: string, expected: string, value: unknown): TypeError {
  return withCode(
    new TypeError(`The "${name}" argument must be ${expected}. Received ${show(value)}`),
    'ERR_INVALID_ARG_TYPE',
  )
}

export function invalidArgumentValue(name: string, value: unknown, reason: string): TypeError {
  return withCode(
    new TypeError(`The argument "${name}" ${reason}. Received ${show(value)}`),
    'ERR_INVALID_ARG_VALUE',
  )
}

export function outOfRange(name: string, range: string, value: unknown): RangeError {
  return withCode(
    new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${show(value)}`),
    'ERR_OUT_OF_RANGE',
  )
}

/** What `act` finds wrong with an argument is told of the one under `path`. */
export function underPath<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof Error && argumentCodes.has((error as { code?: string }).code ?? '')) {
      // Each of the messages above names the argument first, in quotation marks.
      const named = (text: string) => text.replace('"', `"${path}.`)
      error.message = named(error.message)
      if (error.stack !== undefined) error.stack = named(error.stack)
    }
    throw error
  }
}

const argumentCodes = new Set(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'])

/** @internal What a class gives its own constructor, so that nobody else can call it: TypeScript's `private` ends with the types. */
export const construct: unique symbol = Symbol('netloom.construct')

/** @internal Throws ERR_ILLEGAL_CONSTRUCTOR, as Node's classes do, unless a class constructs itself. */
export function requireOwnCall(key: unknown): void {
  if (key !== construct) throw withCode(new TypeError('Illegal constructor'), 'ERR_ILLEGAL_CONSTRUCTOR')
}

/** An integer in `[min, max]`, or a typed error. */
export function requireInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw invalidArgumentType(name, 'a number', value)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < min || value > max) throw outOfRange(name, `>= ${min} and <= ${max}`, value)
  return value
}

/** True or false, or a typed error; absent is false. */
export function requireBoolean(name: string, value: unknown): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
  return value
}

/** A plain options object whose keys are all in `known`, or a typed error; absent is `{}`. */
export function requireOptions<T extends object>(
  name: string,
  value: T | undefined,
  known: readonly (keyof T & string)[],
): T {
  if (value === undefined) return {} as T
  requireObject(name, value)
  for (const key of Object.keys(value)) {
    if (!(known as readonly string[]).includes(key)) {
      throw invalidArgumentValue(
        `${name}.${key}`,
        (value as Record<string, unknown>)[key],
        'is not a known option',
      )
    }
  }
  return value
}

export function requireObject<T extends object>(name: string, value: T): T {
  if (typeof value !== 'object' || value === null) throw invalidArgumentType(name, 'an object', value)
  return value
}

function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code })
}

function show(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 40)}…'` : `'${value}'`
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'object' && value !== null)
    return `an instance of ${value.constructor?.name ?? 'Object'}`
  return typeof value === 'bigint' ? `${value}n` : String(value)
}
