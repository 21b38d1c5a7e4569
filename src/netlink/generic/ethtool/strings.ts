import type { WaitOptions } from '../../core/index.js'
import { checkDevice, type DeviceReference, describeDevice, explainMissing } from '../device.js'
import type { GenericFamily } from '../generic-family.js'
import { ETHTOOL_MSG } from './constants.js'
import { writeHeader } from './setting.js'
import { stringSetsTable } from './settings.js'

/** Sets of strings, by number: those of a device, or without one those that hold for all. */
export async function getStrings(
  family: GenericFamily,
  sets: readonly number[],
  link: DeviceReference | undefined,
  options?: WaitOptions,
): Promise<Map<number, string[]>> {
  const device = link === undefined ? undefined : checkDevice(link)
  try {
    const [message] = await family.request(ETHTOOL_MSG.STRSET_GET, {
      operation: 'get strings',
      subject: link === undefined ? undefined : describeDevice(link),
      signal: options?.signal,
      // 32 bytes each, and some drivers have thousands.
      replyBytes: 128 * 1024,
      table: stringSetsTable,
      values: { sets: sets.map(id => ({ id })) },
      write: writer => {
        if (device === undefined) writer.nested(1, '', () => {})
        else writeHeader(writer, 1, device)
      },
    })
    const found = message?.read(stringSetsTable).values.sets ?? []
    return new Map(
      found.map(({ id = 0, strings = [] }) => {
        const list: string[] = []
        for (const { index = list.length, value = '' } of strings) list[index] = value
        return [id, list]
      }),
    )
  } catch (error) {
    throw link === undefined ? error : explainMissing(error, link)
  }
}
