import type { GenericFamily, SubscribeOptions } from '../generic-family.js'
import type { GenericMessage } from '../generic-message.js'
import type { BitsetCodec, NamedBits } from './bitset.js'
import { ETH_SS, ETHTOOL_MSG } from './constants.js'
import { type EthtoolSettingName, type EthtoolValues, readEntry } from './setting.js'
import { featuresTable, type SettingDefinition, settings } from './settings.js'
import { getStrings } from './strings.js'

/** What was changed of a device. */
export type EthtoolEvent =
  | {
      [N in EthtoolSettingName]: {
        readonly type: N
        /** Index of the link. */
        readonly link: number
        readonly name: string
        /** As they are now. */
        readonly values: EthtoolValues<N>
      }
    }[EthtoolSettingName]
  /** Features that are on now. */
  | { readonly type: 'features'; readonly link: number; readonly name: string; readonly active: NamedBits }
  /** Events were lost, by the kernel or for want of reading. */
  | { readonly type: 'overflow' }

// Notifications have bits without their names. Those of drivers' own stay numbers.
const globalSets = [
  ETH_SS.FEATURES,
  ETH_SS.LINK_MODES,
  ETH_SS.MSG_CLASSES,
  ETH_SS.WOL_MODES,
  ETH_SS.SOF_TIMESTAMPING,
  ETH_SS.TS_TX_TYPES,
  ETH_SS.TS_RX_FILTERS,
]

export async function watchEthtool(
  family: GenericFamily,
  options: SubscribeOptions | undefined,
): Promise<AsyncIterableIterator<EthtoolEvent>> {
  const events = family.subscribe('monitor', options)
  let names: Map<number, string[]>
  try {
    names = await getStrings(family, globalSets, undefined, { signal: options?.signal })
  } catch (error) {
    await events.return?.()
    throw error
  }
  const watch: AsyncIterableIterator<EthtoolEvent> = {
    async next() {
      for (;;) {
        const step = await events.next()
        if (step.done) return { done: true, value: undefined }
        if (step.value.type === 'overflow') return { done: false, value: { type: 'overflow' } }
        try {
          const event = readEvent(step.value.message, names)
          if (event) return { done: false, value: event }
        } catch (error) {
          await events.return?.()
          throw error
        }
      }
    },
    async return() {
      await events.return?.()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => watch,
  }
  return watch
}

/** `undefined` for what is not known here. */
function readEvent(message: GenericMessage, names: Map<number, string[]>): EthtoolEvent | undefined {
  if (message.command === ETHTOOL_MSG.FEATURES_NTF) {
    const { header, active = {} } = message.read(featuresTable).values
    const on = withNames(active, names.get(ETH_SS.FEATURES))
    return { type: 'features', link: header?.index ?? 0, name: header?.name ?? '', active: on }
  }
  for (const [type, definition] of Object.entries<SettingDefinition>(settings)) {
    if (definition.notify !== message.command) continue
    const { link, name, values } = readEntry<EthtoolSettingName>(definition, message)
    for (const [key, value] of Object.entries<unknown>(values)) {
      const { codec } = definition.table.fields[key]!
      if (isBitset(codec))
        Object.assign(values, { [key]: withNames(value as NamedBits, names.get(codec.stringSet)) })
    }
    return { type, link, name, values } as EthtoolEvent
  }
  return undefined
}

function isBitset(codec: object): codec is BitsetCodec {
  return 'stringSet' in codec
}

function withNames(bits: NamedBits, names: readonly string[] | undefined): NamedBits {
  return Object.fromEntries(Object.entries(bits).map(([bit, on]) => [names?.[Number(bit)] || bit, on]))
}
