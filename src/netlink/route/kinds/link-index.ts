import { invalidArgumentType } from '../../../errors/index.js'
import type { Codec, Table } from '../../core/index.js'
import type { LinkReference } from '../link-reference.js'

/** The index of another link, given as any reference to it; `null` or 0 for none. */
export const linkIndex: Codec<number, LinkReference | null> = {
  write: (writer, type, name, value) => {
    if (typeof value !== 'number') throw invalidArgumentType(name, 'a link, a name or an index', value)
    writer.u32(type, name, value)
  },
  read: cursor => cursor.u32(),
  examples: [0, 1, 0x7fff_ffff],
}

/** Settings with the references in them looked up: what {@link linkIndex} can write. */
export async function resolveLinks(
  { fields }: Table,
  settings: object,
  resolve: (reference: LinkReference) => Promise<number>,
): Promise<object> {
  if (typeof settings !== 'object' || settings === null) return settings
  const resolved: Record<string, unknown> = { ...settings }
  for (const [name, value] of Object.entries(resolved)) {
    if (value === undefined || !Object.hasOwn(fields, name)) continue
    const { codec } = fields[name]!
    if (codec === linkIndex)
      resolved[name] = value === null || value === 0 ? 0 : await resolve(value as LinkReference)
    else if (codec.table) resolved[name] = await resolveLinks(codec.table, value as object, resolve)
  }
  return resolved
}
