/** The registry: one file per kind of action. */
import { invalidArgumentType, invalidArgumentValue, requireOptions } from '../../../../errors/index.js'
import type { AttributeCursor, Codec, RawAttribute } from '../../../core/index.js'
import { readTrafficStatistics, type TrafficStatistics } from '../statistics.js'
import type { ActionKind } from './action.js'
import { type GactAction, gact } from './gact.js'
import { type MirredAction, mirred } from './mirred.js'
import { type PoliceAction, police } from './police.js'
import { type SkbeditAction, skbedit } from './skbedit.js'
import { type TunnelKeyAction, tunnelKey } from './tunnel-key.js'
import { type VlanAction, vlanAction } from './vlan.js'

export const actionKinds: Readonly<Record<string, ActionKind>> = {
  gact,
  mirred,
  police,
  skbedit,
  tunnel_key: tunnelKey,
  vlan: vlanAction,
}

/** What is done with packets that a filter matches. */
export type ActionOptions =
  | GactAction
  | MirredAction
  | PoliceAction
  | SkbeditAction
  | TunnelKeyAction
  | VlanAction

/** An action as it is, with what passed it. */
export type Action = (ActionOptions | { kind: 'other'; name: string; raw: readonly RawAttribute[] }) & {
  readonly statistics: TrafficStatistics | undefined
}

/** include/uapi/linux/pkt_cls.h, enum TCA_ACT_* */
export const TCA_ACT = { KIND: 1, OPTIONS: 2, INDEX: 3, STATS: 4 } as const

/** A list of actions: numbered from 1, in their order. Links in it are indexes. */
export const actionList: Codec<readonly ActionOptions[]> = {
  write: (writer, type, name, actions) => {
    writer.nested(type, name, list => {
      for (const [i, action] of actions.entries()) {
        const { kind, ...options } = action
        const path = `${name}[${i}]`
        const found = actionKinds[kind]!
        requireOptions(path, options as Record<string, unknown>, found.options)
        list.nested(i + 1, String(i), nest => {
          nest.string(TCA_ACT.KIND, 'kind', found.name)
          nest.nested(TCA_ACT.OPTIONS, '', inner => found.write(inner, path, options))
        })
      }
    })
  },
  read: outer => {
    const cursor = outer.nested()
    const actions: Action[] = []
    while (cursor.next()) actions.push(readAction(cursor.nested()))
    return actions as unknown as readonly ActionOptions[]
  },
}

function readAction(cursor: AttributeCursor): Action {
  let name = ''
  let options: AttributeCursor | undefined
  let raw: RawAttribute[] = []
  let statistics: TrafficStatistics | undefined
  while (cursor.next()) {
    if (cursor.type === TCA_ACT.KIND) name = cursor.string()
    else if (cursor.type === TCA_ACT.STATS) statistics = readTrafficStatistics(cursor.nested())
    else if (cursor.type === TCA_ACT.OPTIONS) {
      options = cursor.nested()
      raw = rest(cursor.nested())
    }
  }
  const kind = Object.hasOwn(actionKinds, name) ? actionKinds[name] : undefined
  if (!kind || !options) return { kind: 'other', name, raw, statistics }
  return { kind: name, ...kind.read(options), statistics } as Action
}

function rest(cursor: AttributeCursor): RawAttribute[] {
  const all: RawAttribute[] = []
  while (cursor.next()) all.push(cursor.raw())
  return all
}

/** @throws TypeError */
export function checkActions(path: string, actions: readonly ActionOptions[]): void {
  if (!Array.isArray(actions)) throw invalidArgumentType(path, 'an array', actions)
  for (const [i, action] of actions.entries()) {
    if (typeof action !== 'object' || action === null) {
      throw invalidArgumentType(`${path}[${i}]`, 'an object', action)
    }
    if (!Object.hasOwn(actionKinds, action.kind)) {
      const known = Object.keys(actionKinds).join(', ')
      throw invalidArgumentValue(`${path}[${i}].kind`, action.kind, `must be one of ${known}`)
    }
  }
}
