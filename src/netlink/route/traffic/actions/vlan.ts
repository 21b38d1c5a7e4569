import { bytes, field, readTable, table, u8, u16, u16be, word, writeTable } from '../../../core/index.js'
import {
  type ActionKind,
  actionStruct,
  readOperation,
  type Verdict,
  verdictOf,
  wordOption,
} from './action.js'

/** VLAN tags, on and off. */
export interface VlanAction {
  kind: 'vlan'
  operation: 'pop' | 'push' | 'modify'
  id?: number | undefined
  /** Default: the kernel's, `802.1q`. */
  protocol?: '802.1q' | '802.1ad' | undefined
  priority?: number | undefined
  /** Default `pipe`. */
  verdict?: Verdict | undefined
}

/** include/uapi/linux/tc_act/tc_vlan.h: TCA_VLAN_ACT_* */
export const vlanOperations = { pop: 1, push: 2, modify: 3 } as const

const values = table('TCA_VLAN_', {
  id: field(3, 'PUSH_VLAN_ID', u16),
  protocol: field(4, 'PUSH_VLAN_PROTOCOL', word(u16be, { '802.1q': 0x8100, '802.1ad': 0x88a8 })),
  priority: field(6, 'PUSH_VLAN_PRIORITY', u8),
})
const attributes = table('TCA_VLAN_', { parameters: field(2, 'PARMS', bytes), ...values.fields })

export const vlanAction: ActionKind = {
  name: 'vlan',
  table: attributes,
  options: ['operation', 'id', 'protocol', 'priority', 'verdict'],
  write: (writer, path, { operation, verdict, ...rest }) => {
    const number = wordOption(`${path}.operation`, operation, vlanOperations)
    writer.bytes(
      attributes.fields.parameters.type,
      'operation',
      actionStruct(verdictOf(path, verdict, 'pipe'), number),
    )
    writeTable(writer, values, rest, path)
  },
  read: cursor => {
    const { parameters, ...rest } = readTable(attributes, cursor).values
    return { ...readOperation(parameters, vlanOperations), ...rest }
  },
}
