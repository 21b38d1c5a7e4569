import { bytes, field, table, wordOf } from '../../../core/index.js'
import {
  type ActionKind,
  actionStruct,
  readActionStruct,
  type Verdict,
  verdictOf,
  verdicts,
} from './action.js'

/** Nothing but a verdict. */
export interface GactAction {
  kind: 'gact'
  verdict: Verdict
}

/** include/uapi/linux/tc_act/tc_gact.h, enum TCA_GACT_* */
const attributes = table('TCA_GACT_', { parameters: field(2, 'PARMS', bytes) })

export const gact: ActionKind = {
  name: 'gact',
  table: attributes,
  options: ['verdict'],
  write: (writer, path, { verdict }) => {
    // There is no usual one.
    writer.bytes(
      attributes.fields.parameters.type,
      'verdict',
      actionStruct(verdictOf(path, verdict ?? '', 'drop')),
    )
  },
  read: cursor => {
    while (cursor.next()) {
      if (cursor.type !== attributes.fields.parameters.type) continue
      return { verdict: wordOf(verdicts, readActionStruct(cursor, 0).verdict) }
    }
    return {}
  },
}
