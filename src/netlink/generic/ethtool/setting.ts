import { invalidArgumentType } from '../../../errors/index.js'
import type { MessageWriter, TableValues, WaitOptions } from '../../core/index.js'
import { checkDevice, type DeviceReference, describeDevice, explainMissing } from '../device.js'
import type { GenericFamily, GenericRequestOptions } from '../generic-family.js'
import type { GenericMessage } from '../generic-message.js'
import { type headerTable, type SettingDefinition, settings } from './settings.js'

/** The settings by their names. */
export type EthtoolSettingName = keyof typeof settings

/** The values of one; what a device or driver has not is absent. */
export type EthtoolValues<N extends EthtoolSettingName> = Omit<
  TableValues<(typeof settings)[N]['table']>,
  'header'
>

/** With the device that has them. */
export type EthtoolEntry<N extends EthtoolSettingName> = EthtoolValues<N> & {
  /** Index of the link. */
  readonly link: number
  readonly name: string
}

/** What can be read of devices. */
export class EthtoolReading<N extends EthtoolSettingName> {
  protected readonly family: () => Promise<GenericFamily>
  protected readonly setting: N
  protected readonly definition: SettingDefinition

  /** @internal */
  constructor(setting: N, family: () => Promise<GenericFamily>) {
    this.setting = setting
    this.family = family
    this.definition = settings[setting]
  }

  /** @throws NetloomError `ERR_LINK_NOT_FOUND`; NetlinkError `ENOTSUP` for a device that has none of it */
  async get(link: DeviceReference, options?: WaitOptions): Promise<EthtoolValues<N>> {
    const [message] = await askDevice(await this.family(), this.definition.get, link, {
      operation: `get ${this.setting}`,
      signal: options?.signal,
    })
    return readEntry<N>(this.definition, message!).values
  }

  /** Of all devices that have it. */
  async list(options?: WaitOptions): Promise<EthtoolEntry<N>[]> {
    const family = await this.family()
    const messages = await family.dump(this.definition.get, {
      operation: `list ${this.setting}`,
      signal: options?.signal,
      write: writer => writer.nested(1, '', () => {}),
    })
    return messages.map(message => {
      const { link, name, values } = readEntry<N>(this.definition, message)
      return { ...values, link, name }
    })
  }
}

/** What can be read and set. */
export class EthtoolSetting<N extends EthtoolSettingName> extends EthtoolReading<N> {
  /**
   * Sets what is given. Values that are only reported are refused.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`; NetlinkError `ENOTSUP`, `EINVAL`; TypeError, RangeError
   */
  async set(link: DeviceReference, values: EthtoolValues<N>, options?: WaitOptions): Promise<void> {
    if (typeof values !== 'object' || values === null)
      throw invalidArgumentType('values', 'an object', values)
    await askDevice(await this.family(), this.definition.set!, link, {
      operation: `set ${this.setting}`,
      signal: options?.signal,
      table: this.definition.table,
      values: values as Record<string, unknown>,
    })
  }
}

/** A request about one device, of whatever command. */
export async function askDevice(
  family: GenericFamily,
  command: number,
  link: DeviceReference,
  {
    flags,
    headerType = 1,
    write,
    ...options
  }: GenericRequestOptions & { flags?: number | undefined; headerType?: number | undefined },
): Promise<GenericMessage[]> {
  const device = checkDevice(link)
  try {
    return await family.request(command, {
      // Modes of a link have long names, and there are many.
      replyBytes: 32 * 1024,
      ...options,
      subject: describeDevice(link),
      write: writer => {
        writeHeader(writer, headerType, device, flags)
        write?.(writer)
      },
    })
  } catch (error) {
    throw explainMissing(error, link)
  }
}

export function writeHeader(
  writer: MessageWriter,
  type: number,
  device: string | number,
  flags?: number,
): void {
  writer.nested(type, 'link', header => {
    if (typeof device === 'string') header.string(2, '', device)
    else header.u32(1, '', device)
    if (flags !== undefined) header.u32(3, '', flags)
  })
}

export function readEntry<N extends EthtoolSettingName>(
  definition: SettingDefinition,
  message: GenericMessage,
): { link: number; name: string; values: EthtoolValues<N> } {
  const { header, ...values } = message.read(definition.table).values as { header?: Header }
  return { link: header?.index ?? 0, name: header?.name ?? '', values: values as EthtoolValues<N> }
}

type Header = TableValues<typeof headerTable>
