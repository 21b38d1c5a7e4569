import { invalidArgumentValue } from '../../../../errors/index.js'
import { bytes, field, table, wordOf } from '../../../core/index.js'
import type { LinkReference } from '../../link-reference.js'
import {
  type ActionKind,
  actionStruct,
  readActionStruct,
  type Verdict,
  verdictOf,
  verdicts,
  wordOption,
} from './action.js'

/** To another link: the packet itself (`redirect`), or a copy of it (`mirror`). */
export interface MirredAction {
  kind: 'mirred'
  operation: 'redirect' | 'mirror'
  /** Read, it is the index. */
  to: LinkReference
  /** Out of the link, or as if it had come in there. Default `egress`. */
  direction?: 'egress' | 'ingress' | undefined
  /** Default: `stolen` for `redirect`, `pipe` for `mirror`. */
  verdict?: Verdict | undefined
}

/** include/uapi/linux/tc_act/tc_mirred.h: TCA_EGRESS_REDIR, … */
export const mirredOperations = {
  'egress redirect': 1,
  'egress mirror': 2,
  'ingress redirect': 3,
  'ingress mirror': 4,
} as const

const attributes = table('TCA_MIRRED_', { parameters: field(2, 'PARMS', bytes) })

export const mirred: ActionKind = {
  name: 'mirred',
  table: attributes,
  options: ['operation', 'to', 'direction', 'verdict'],
  write: (writer, path, { operation, to, direction = 'egress', verdict }) => {
    wordOption(`${path}.operation`, operation, { redirect: 0, mirror: 0 })
    wordOption(`${path}.direction`, direction, { egress: 0, ingress: 0 })
    if (typeof to !== 'number') throw invalidArgumentValue(`${path}.to`, to, 'must be a link')
    const number = mirredOperations[`${direction} ${operation}` as keyof typeof mirredOperations]
    const then = verdictOf(path, verdict, operation === 'redirect' ? 'stolen' : 'pipe')
    writer.bytes(attributes.fields.parameters.type, 'to', actionStruct(then, number, to))
  },
  read: cursor => {
    while (cursor.next()) {
      if (cursor.type !== attributes.fields.parameters.type) continue
      const { verdict, numbers } = readActionStruct(cursor, 2)
      const [direction, operation] = wordOf(mirredOperations, numbers[0]!).split(' ')
      return { operation, to: numbers[1], direction, verdict: wordOf(verdicts, verdict) }
    }
    return {}
  },
}
