import { SystemError } from '../../errors/index.js'
import { NLMSGERR_ATTR } from './constants.js'
import type { AttributeCursor, Message } from './message-reader.js'
import { type Marks, pathAt } from './message-writer.js'

/** What a request was for, in the words of who made it. */
export interface RequestContext {
  /** `create link` */
  operation: string
  /** `br0` */
  subject?: string | undefined
}

export interface NetlinkErrorOptions extends RequestContext {
  errno: number
  /** The kernel's own words. */
  kernelMessage?: string | undefined
  /** What the kernel objected to. */
  attribute?: string | undefined
  /** What it missed: an attribute's number, and the attribute it should be in. */
  missing?: { type: number; within: string | undefined } | undefined
}

/** The kernel refused a netlink request. `operation` and `attribute` are in the words of Netloom's options. */
export class NetlinkError extends SystemError {
  readonly operation: string
  readonly kernelMessage: string | undefined
  readonly attribute: string | undefined
  readonly missing: { type: number; within: string | undefined } | undefined

  constructor(options: NetlinkErrorOptions) {
    super({
      errno: options.errno,
      syscall: 'netlink',
      request: options.operation,
      subject: options.subject,
      hint: explain(options),
    })
    this.operation = options.operation
    this.kernelMessage = options.kernelMessage
    this.attribute = options.attribute
    this.missing = options.missing
  }

  static {
    NetlinkError.prototype.name = 'NetlinkError'
  }
}

function explain({ errno, kernelMessage, attribute, missing }: NetlinkErrorOptions): string | undefined {
  const parts: string[] = []
  if (kernelMessage) parts.push(kernelMessage)
  if (attribute) parts.push(`at ${attribute}`)
  if (missing) {
    parts.push(`attribute ${missing.type} is missing${missing.within ? ` in ${missing.within}` : ''}`)
  }
  if (errno === -1 && !kernelMessage) {
    parts.push('needs CAP_NET_ADMIN in the user namespace that owns the network namespace')
  }
  return parts.length > 0 ? parts.join('; ') : undefined
}

/** Reads extended acknowledgement attributes (struct nlmsgerr_attrs) and tells them in terms of the request. */
export function readFailure(
  errno: number,
  attributes: AttributeCursor | undefined,
  marks: Marks,
  context: RequestContext,
): NetlinkError {
  const { operation, subject } = context
  const options: NetlinkErrorOptions = { operation, subject, errno }
  let missing: number | undefined
  let nest: number | undefined
  while (attributes?.next()) {
    switch (attributes.type) {
      case NLMSGERR_ATTR.MSG:
        options.kernelMessage = attributes.string()
        break
      case NLMSGERR_ATTR.OFFS:
        options.attribute = pathAt(marks, attributes.u32())
        break
      case NLMSGERR_ATTR.MISS_TYPE:
        missing = attributes.u32()
        break
      case NLMSGERR_ATTR.MISS_NEST:
        nest = attributes.u32()
        break
    }
  }
  if (missing !== undefined) {
    options.missing = { type: missing, within: nest === undefined ? undefined : pathAt(marks, nest) }
  }
  return new NetlinkError(options)
}

/** The attributes that follow `offset` in a control message. */
export function acknowledgementAttributes(message: Message, offset: number): AttributeCursor | undefined {
  return offset < message.payload.length ? message.payload.attributes(offset) : undefined
}
