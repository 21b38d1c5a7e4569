import {
  invalidArgumentType,
  invalidArgumentValue,
  requireInteger,
  requireOptions,
} from '../../errors/index.js'
import { EventQueue } from '../../lifecycle/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import { NETLINK, type NetlinkConnection, NetlinkMonitor, NLM_F, type WaitOptions } from '../core/index.js'
import type { GenericFamilyInfo } from './family-info.js'
import { type GenericContent, GenericMessage, genericRequest } from './generic-message.js'

export interface GenericRequestOptions extends GenericContent, WaitOptions {
  /** For errors: what is asked (`get device`), … */
  operation?: string | undefined
  /** … and of what (`wg0`). */
  subject?: string | undefined
  /** Bytes that the answer to a request may take. Default 8192. */
  replyBytes?: number | undefined
}

/** What a subscription tells. */
export type GenericEvent =
  | { type: 'message'; message: GenericMessage }
  /** Messages were lost, by the kernel or for want of reading. */
  | { type: 'overflow' }

export interface SubscribeOptions extends WaitOptions {
  /** Events that may wait to be read. Default 1024. */
  limit?: number | undefined
}

const contentOptions = ['header', 'attributes', 'table', 'values', 'write', 'version'] as const
const requestOptions = [...contentOptions, 'operation', 'subject', 'replyBytes', 'signal'] as const

/**
 * A family of generic netlink, for those who know what it speaks: requests with attributes as they are, or with a
 * table of their own.
 *
 *     const family = await generic.family('nlctrl')
 *     const messages = await family.dump(3)
 */
export class GenericFamily {
  readonly info: GenericFamilyInfo
  readonly #connection: NetlinkConnection
  readonly #namespace: () => NamespaceReference | undefined
  readonly #onSubscribe: (queue: EventQueue<GenericEvent>) => void

  /** @internal */
  constructor(
    info: GenericFamilyInfo,
    connection: NetlinkConnection,
    namespace: () => NamespaceReference | undefined,
    onSubscribe: (queue: EventQueue<GenericEvent>) => void,
  ) {
    this.info = info
    this.#connection = connection
    this.#namespace = namespace
    this.#onSubscribe = onSubscribe
  }

  get name(): string {
    return this.info.name
  }

  /** Asks for a change, or for one object: whatever comes back before the acknowledgement. @throws NetlinkError */
  async request(command: number, options?: GenericRequestOptions): Promise<GenericMessage[]> {
    const messages: GenericMessage[] = []
    const { headerSize } = this.info
    const { content, context, replyBytes = 8192 } = this.#check(command, options)
    await this.#connection.request(genericRequest(this.info, command, NLM_F.ACK, content), {
      ...context,
      replyBytes,
      onMessage: message => messages.push(new GenericMessage(message, headerSize)),
    })
    return messages
  }

  /** Lists objects. @throws NetlinkError; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED` */
  async dump(command: number, options?: GenericRequestOptions): Promise<GenericMessage[]> {
    let messages: GenericMessage[] = []
    const { headerSize } = this.info
    const { content, context } = this.#check(command, options)
    await this.#connection.dump(genericRequest(this.info, command, NLM_F.DUMP, content), {
      ...context,
      onMessage: message => messages.push(new GenericMessage(message, headerSize)),
      onRestart: () => {
        messages = []
      },
    })
    return messages
  }

  /**
   * What is sent to one of the family's multicast groups, by name, from now on. It keeps the process alive until it
   * is ended by `return()`, an abort, or with the connection.
   */
  subscribe(group: string, options?: SubscribeOptions): AsyncIterableIterator<GenericEvent> {
    const { limit = 1024, signal } = requireOptions('options', options, ['limit', 'signal'])
    requireInteger('options.limit', limit, 1, 2 ** 31)
    const id = Object.hasOwn(this.info.groups, group) ? this.info.groups[group] : undefined
    if (id === undefined) {
      const known = Object.keys(this.info.groups).join(', ') || 'none'
      throw invalidArgumentValue('group', group, `is no group of ${this.name}, which has: ${known}`)
    }
    const queue = new EventQueue<GenericEvent>({
      limit,
      onOverflow: () => ({ type: 'overflow' }),
      signal,
    })
    try {
      const monitor = new NetlinkMonitor({
        in: this.#namespace(),
        protocol: NETLINK.GENERIC,
        groups: [id],
        onMessage: message => {
          if (message.type === this.info.id) {
            queue.push({ type: 'message', message: new GenericMessage(message, this.info.headerSize) })
          }
        },
        onOverflow: () => queue.push({ type: 'overflow' }),
        onError: error => queue.fail(error),
      })
      queue.onEnd(() => monitor.close())
    } catch (error) {
      queue.end()
      throw error
    }
    this.#onSubscribe(queue)
    return queue
  }

  #check(command: number, options: GenericRequestOptions | undefined) {
    requireInteger('command', command, 0, 0xff)
    const { operation, subject, signal, replyBytes, ...content } = requireOptions(
      'options',
      options,
      requestOptions,
    )
    const { header, attributes, table, values, version } = content
    if (version !== undefined) requireInteger('options.version', version, 0, 0xff)
    if (replyBytes !== undefined) requireInteger('options.replyBytes', replyBytes, 0, 2 ** 31)
    if (header !== undefined) {
      if (!(header instanceof Uint8Array)) throw invalidArgumentType('options.header', 'a Uint8Array', header)
      if (header.length !== this.info.headerSize) {
        throw invalidArgumentValue('options.header', header, `must have ${this.info.headerSize} bytes`)
      }
    }
    if (attributes !== undefined) checkAttributes(attributes)
    if ((table === undefined) !== (values === undefined)) {
      throw invalidArgumentValue('options.values', values, 'and options.table belong together')
    }
    return {
      content,
      replyBytes,
      context: { operation: operation ?? `${this.name} command ${command}`, subject, signal },
    }
  }
}

function checkAttributes(attributes: GenericContent['attributes']): void {
  if (!Array.isArray(attributes)) throw invalidArgumentType('options.attributes', 'an array', attributes)
  for (const [i, attribute] of attributes.entries()) {
    const { type, bytes } = attribute ?? {}
    requireInteger(`options.attributes[${i}].type`, type, 0, 0xffff)
    if (!(bytes instanceof Uint8Array)) {
      throw invalidArgumentType(`options.attributes[${i}].bytes`, 'a Uint8Array', bytes)
    }
  }
}
