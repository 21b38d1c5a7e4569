import {
  type AttributeCursor,
  type FixedPart,
  type Message,
  MessageWriter,
  NLM_F,
  Payload,
  type RawAttribute,
  type Request,
  readTable,
  type Table,
  type TableValues,
  writeTable,
} from '../core/index.js'
import { GENL_HDRLEN } from './constants.js'

/** A message of a family: a notification, or part of an answer. */
export class GenericMessage {
  readonly command: number
  readonly version: number
  readonly #payload: Payload
  readonly #headerEnd: number

  /** Copies what is lent. */
  constructor({ payload }: Message, headerSize: number) {
    this.command = payload.u8(0)
    this.version = payload.u8(1)
    this.#payload = new Payload(payload.bytes.slice())
    this.#headerEnd = GENL_HDRLEN + ((headerSize + 3) & ~3)
  }

  /** The family's own header; empty for those without. */
  get header(): Uint8Array {
    return this.#payload.bytes.subarray(GENL_HDRLEN, this.#headerEnd)
  }

  /** All attributes, as they are. */
  get attributes(): RawAttribute[] {
    const all: RawAttribute[] = []
    const cursor = this.cursor()
    while (cursor.next()) all.push(cursor.raw())
    return all
  }

  /** Steps through the attributes. */
  cursor(): AttributeCursor {
    return this.#payload.attributes(this.#headerEnd)
  }

  /** The attributes that a table knows, and the rest. @throws NetloomError `ERR_NETLINK_PROTOCOL` */
  read<T extends Table>(table: T): { values: TableValues<T>; unknown: RawAttribute[] } {
    return readTable(table, this.cursor())
  }
}

/** What a request of a family carries. */
export interface GenericContent {
  /** The family's own header. Default: zeros, of the size that it has. */
  header?: Uint8Array | undefined
  /** Attributes as they are. */
  attributes?: readonly RawAttribute[] | undefined
  /** Attributes by name: those of a table, … */
  table?: Table | undefined
  /** … and their values. */
  values?: Readonly<Record<string, unknown>> | undefined
  /** Attributes written by hand, after the others. */
  write?: ((writer: MessageWriter) => void) | undefined
  /** Default: the family's own. */
  version?: number | undefined
}

export function genericRequest(
  family: { id: number; name: string; version: number; headerSize: number },
  command: number,
  flags: number,
  { header, attributes, table, values, write, version = family.version }: GenericContent,
): Request {
  const writer = new MessageWriter({
    type: family.id,
    flags: NLM_F.REQUEST | flags,
    header: genericHeader(command, version, header, family.headerSize),
    name: family.name,
  })
  for (const { type, bytes } of attributes ?? []) writer.bytes(type, String(type), bytes)
  if (table && values) writeTable(writer, table, values, family.name)
  write?.(writer)
  return writer.finish()
}

/** struct genlmsghdr, and what the family adds. */
function genericHeader(
  command: number,
  version: number,
  header: Uint8Array | undefined,
  headerSize: number,
): FixedPart {
  return {
    length: GENL_HDRLEN + headerSize,
    write(view, at) {
      view.setUint8(at, command)
      view.setUint8(at + 1, version)
      if (header) new Uint8Array(view.buffer, view.byteOffset + at + GENL_HDRLEN, headerSize).set(header)
    },
  }
}
