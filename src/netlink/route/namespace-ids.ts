import { invalidArgumentType, NetloomError, requireInteger, requireOptions } from '../../errors/index.js'
import { keepNamespace, type NamespaceReference } from '../../netns/index.js'
import {
  type FixedPart,
  MessageWriter,
  type NetlinkConnection,
  NLM_F,
  type Payload,
  type WaitOptions,
} from '../core/index.js'
import { NETNSA, RTM } from './constants.js'
import { listObjects } from './dump.js'

/** Number of a namespace as another one sees it: links name the other end's namespace by it. */
export interface NamespaceId {
  readonly id: number
}

/** Bytes of struct rtgenmsg, with its padding. */
const headerLength = 4
const replyBytes = 4096
/** NETNSA_NSID_NOT_ASSIGNED, include/uapi/linux/net_namespace.h */
const notAssigned = -1

/** The numbers that one namespace has for others. An id, once assigned, stays as long as both live. */
export class NamespaceIds {
  readonly #connection: NetlinkConnection

  constructor(connection: NetlinkConnection) {
    this.#connection = connection
  }

  async list(options?: WaitOptions): Promise<NamespaceId[]> {
    const { signal } = requireOptions('options', options, ['signal'])
    return listObjects(this.#connection, {
      request: message(RTM.GETNSID, NLM_F.DUMP).finish(),
      operation: 'list namespace ids',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWNSID ? { id: readId(payload) } : undefined),
    })
  }

  /** `undefined` for a namespace that has none. @throws NetloomError `ERR_NAMESPACE_NOT_FOUND` */
  async get(namespace: NamespaceReference, options?: WaitOptions): Promise<number | undefined> {
    const descriptor = keepNamespace(namespace)
    try {
      let id = notAssigned
      const request = message(RTM.GETNSID, NLM_F.ACK).u32(NETNSA.FD, 'namespace', descriptor.fd).finish()
      await this.#connection.request(request, {
        operation: 'get namespace id',
        replyBytes,
        signal: options?.signal,
        onMessage: ({ type, payload }) => {
          if (type === RTM.NEWNSID) id = readId(payload)
        },
      })
      return id === notAssigned ? undefined : id
    } finally {
      descriptor.release()
    }
  }

  /**
   * Gives a namespace an id, by default one that the kernel chooses.
   * @throws NetlinkError `EEXIST` when the namespace has one, or the id is another's; RangeError
   */
  async create(namespace: NamespaceReference, options?: { id?: number } & WaitOptions): Promise<number> {
    const { id, signal } = requireOptions('options', options, ['id', 'signal'])
    if (id !== undefined) requireInteger('options.id', id, 0, 0x7fff_ffff)
    if (namespace === undefined) throw invalidArgumentType('namespace', 'a namespace', namespace)
    const descriptor = keepNamespace(namespace)
    try {
      const writer = message(RTM.NEWNSID, NLM_F.ACK)
      writer.s32(NETNSA.NSID, 'id', id ?? notAssigned)
      writer.u32(NETNSA.FD, 'namespace', descriptor.fd)
      await this.#connection.request(writer.finish(), { operation: 'create namespace id', signal })
      const made = await this.get(namespace, { signal })
      if (made === undefined)
        throw new NetloomError('ERR_NETLINK_PROTOCOL', 'create namespace id: it has none')
      return made
    } finally {
      descriptor.release()
    }
  }
}

function message(type: number, flags: number): MessageWriter {
  const header: FixedPart = { length: headerLength, write() {} }
  return new MessageWriter({ type, flags: NLM_F.REQUEST | flags, header, name: 'namespaceId' })
}

function readId(payload: Payload): number {
  const attributes = payload.attributes(headerLength)
  while (attributes.next()) if (attributes.type === NETNSA.NSID) return attributes.s32()
  return notAssigned
}
