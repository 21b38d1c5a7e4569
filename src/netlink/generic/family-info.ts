import { bits, bytes, field, list, nest, type TableValues, table, text, u16, u32 } from '../core/index.js'
import { operationFlags } from './constants.js'

const operationTable = table('CTRL_ATTR_OP_', {
  /** The command's number. */
  command: field(1, 'ID', u32),
  flags: field(2, 'FLAGS', bits(u32, operationFlags)),
})

const groupTable = table('CTRL_ATTR_MCAST_GRP_', {
  name: field(1, 'NAME', text),
  id: field(2, 'ID', u32),
})

/** include/uapi/linux/genetlink.h, enum CTRL_ATTR_*: what the controller says of a family. */
export const familyTable = table('CTRL_ATTR_', {
  id: field(1, 'FAMILY_ID', u16),
  name: field(2, 'FAMILY_NAME', text),
  version: field(3, 'VERSION', u32),
  headerSize: field(4, 'HDRSIZE', u32),
  maxAttribute: field(5, 'MAXATTR', u32),
  operations: field(6, 'OPS', list('counted', nest(operationTable))),
  groups: field(7, 'MCAST_GROUPS', list('counted', nest(groupTable))),
  policy: field(8, 'POLICY', bytes),
  operationPolicy: field(9, 'OP_POLICY', bytes),
  operation: field(10, 'OP', u32),
})

/** A family of generic netlink, as the kernel describes it. */
export interface GenericFamilyInfo {
  /** The message type of its requests. It may be another after its module was loaded anew. */
  readonly id: number
  readonly name: string
  readonly version: number
  /** Bytes of the family's own header, which stands before the attributes. */
  readonly headerSize: number
  /** The highest attribute; 0 where each operation has its own. */
  readonly maxAttribute: number
  readonly operations: readonly GenericOperation[]
  /** Multicast groups: number by name. */
  readonly groups: Readonly<Record<string, number>>
}

export interface GenericOperation {
  readonly command: number
  /** Takes requests, and dumps. */
  readonly request: boolean
  readonly dump: boolean
  /** Needs CAP_NET_ADMIN: in the first user namespace, or in the one that owns the network namespace. */
  readonly needs: 'nothing' | 'CAP_NET_ADMIN' | 'namespace CAP_NET_ADMIN'
}

/** `undefined` for what is no family. */
export function familyInfo(values: TableValues<typeof familyTable>): GenericFamilyInfo | undefined {
  const { id, name, version = 0, headerSize = 0, maxAttribute = 0, operations = [], groups = [] } = values
  if (id === undefined || name === undefined) return undefined
  return {
    id,
    name,
    version,
    headerSize,
    maxAttribute,
    operations: operations.map(({ command = 0, flags = {} }) => ({
      command,
      request: flags.request === true,
      dump: flags.dump === true,
      needs: flags.adminOnly ? 'CAP_NET_ADMIN' : flags.namespaceAdmin ? 'namespace CAP_NET_ADMIN' : 'nothing',
    })),
    groups: Object.fromEntries(
      groups.flatMap(({ name, id }) => (name === undefined || id === undefined ? [] : [[name, id]])),
    ),
  }
}
