import { type AttributeCursor, field, readTable, table, u32, u64, wordOf } from '../core/index.js'
import type { GenericMessage } from './generic-message.js'

/** include/uapi/linux/netlink.h, enum netlink_attribute_type. */
export const attributeTypes = {
  invalid: 0,
  flag: 1,
  u8: 2,
  u16: 3,
  u32: 4,
  u64: 5,
  s8: 6,
  s16: 7,
  s32: 8,
  s64: 9,
  binary: 10,
  string: 11,
  'nul-string': 12,
  nested: 13,
  'nested-array': 14,
  bitfield32: 15,
  sint: 16,
  uint: 17,
} as const

/** include/uapi/linux/netlink.h, enum netlink_policy_type_attr. */
export const policyTable = table(
  'NL_POLICY_TYPE_ATTR_',
  {
    type: field(1, 'TYPE', u32),
    minSigned: field(2, 'MIN_VALUE_S', u64),
    maxSigned: field(3, 'MAX_VALUE_S', u64),
    min: field(4, 'MIN_VALUE_U', u64),
    max: field(5, 'MAX_VALUE_U', u64),
    minLength: field(6, 'MIN_LENGTH', u32),
    maxLength: field(7, 'MAX_LENGTH', u32),
    policy: field(8, 'POLICY_IDX', u32),
    maxAttribute: field(9, 'POLICY_MAXTYPE', u32),
    bits: field(10, 'BITFIELD32_MASK', u32),
    mask: field(12, 'MASK', u64),
  },
  11,
)

/** What the kernel takes for one attribute. */
export interface AttributePolicy {
  readonly type: keyof typeof attributeTypes
  readonly min?: bigint | undefined
  readonly max?: bigint | undefined
  /** Bytes. */
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  /** Bits that may be set. */
  readonly mask?: bigint | undefined
  /** What is within it: an entry of {@link FamilyPolicy.policies}. */
  readonly policy?: number | undefined
}

/** What the kernel takes for the requests of a family. */
export interface FamilyPolicy {
  /** By command: which of the policies its requests and its dumps have. */
  readonly operations: Readonly<Record<number, { request?: number; dump?: number }>>
  /** By number, then by attribute. */
  readonly policies: Readonly<Record<number, Readonly<Record<number, AttributePolicy>>>>
}

/** CTRL_ATTR_POLICY, CTRL_ATTR_OP_POLICY; CTRL_ATTR_POLICY_DO, _DUMP. */
export const policyNumbers = { POLICY: 8, OP_POLICY: 9, POLICY_DO: 1, POLICY_DUMP: 2 } as const

export function readPolicy(messages: readonly GenericMessage[]): FamilyPolicy {
  const operations: Record<number, { request?: number; dump?: number }> = {}
  const policies: Record<number, Record<number, AttributePolicy>> = {}
  for (const message of messages) {
    const cursor = message.cursor()
    while (cursor.next()) {
      if (cursor.type === policyNumbers.OP_POLICY) readOperations(cursor.nested(), operations)
      else if (cursor.type === policyNumbers.POLICY) readPolicies(cursor.nested(), policies)
    }
  }
  return { operations, policies }
}

function readOperations(
  cursor: AttributeCursor,
  operations: Record<number, { request?: number; dump?: number }>,
): void {
  while (cursor.next()) {
    const operation: { request?: number; dump?: number } = {}
    operations[cursor.type] = operation
    const inner = cursor.nested()
    while (inner.next()) {
      if (inner.type === policyNumbers.POLICY_DO) operation.request = inner.u32()
      else if (inner.type === policyNumbers.POLICY_DUMP) operation.dump = inner.u32()
    }
  }
}

function readPolicies(
  cursor: AttributeCursor,
  policies: Record<number, Record<number, AttributePolicy>>,
): void {
  while (cursor.next()) {
    policies[cursor.type] ??= {}
    const attributes = policies[cursor.type]!
    const inner = cursor.nested()
    while (inner.next()) {
      const { values } = readTable(policyTable, inner.nested())
      const signed = (value: bigint | undefined) => value && BigInt.asIntN(64, value)
      const policy = {
        type: wordOf(attributeTypes, values.type ?? 0),
        min: values.min ?? signed(values.minSigned),
        max: values.max ?? signed(values.maxSigned),
        minLength: values.minLength,
        maxLength: values.maxLength,
        mask: values.mask ?? (values.bits === undefined ? undefined : BigInt(values.bits)),
        policy: values.policy,
      }
      const known = Object.entries(policy).filter(([, value]) => value !== undefined)
      attributes[inner.type] = Object.fromEntries(known) as unknown as AttributePolicy
    }
  }
}
