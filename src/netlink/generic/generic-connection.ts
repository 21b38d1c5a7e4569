import {
  construct,
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireOwnCall,
} from '../../errors/index.js'
import { type EventQueue, throwIfAborted } from '../../lifecycle/index.js'
import { keepNamespace, type NamespaceDescriptor, type NamespaceReference } from '../../netns/index.js'
import { NETLINK, NetlinkConnection, NetlinkError, type WaitOptions } from '../core/index.js'
import { CTRL_CMD, GENL_ID_CTRL } from './constants.js'
import { Ethtool } from './ethtool/ethtool.js'
import { familyInfo, familyTable, type GenericFamilyInfo } from './family-info.js'
import { type GenericEvent, GenericFamily } from './generic-family.js'
import { type FamilyPolicy, readPolicy } from './policy.js'
import { Wireguard } from './wireguard/wireguard.js'

const controller: GenericFamilyInfo = {
  id: GENL_ID_CTRL,
  name: 'nlctrl',
  version: 2,
  headerSize: 0,
  maxAttribute: 0,
  operations: [],
  groups: { notify: GENL_ID_CTRL },
}

/** What brings a family, where that is not a module of the family's name. */
const providers = new Map([
  ['ethtool', 'kernel option ETHTOOL_NETLINK'],
  ['nl80211', 'module cfg80211'],
  ['ovs_datapath', 'module openvswitch'],
  ['ovs_flow', 'module openvswitch'],
  ['ovs_packet', 'module openvswitch'],
  ['ovs_vport', 'module openvswitch'],
])

/** Generic netlink in one namespace: the families that the kernel has there, by name. One socket to ask with. */
export class GenericConnection implements AsyncDisposable {
  readonly ethtool: Ethtool
  readonly wireguard: Wireguard
  readonly #connection: NetlinkConnection
  readonly #controller: GenericFamily
  /** Kept, so that a later subscription is in the same namespace. */
  readonly #namespace: NamespaceDescriptor | undefined
  readonly #families = new Map<string, Promise<GenericFamily>>()
  readonly #subscriptions = new Set<EventQueue<GenericEvent>>()
  #open = true

  private constructor(key: typeof construct, namespace: NamespaceDescriptor | undefined) {
    requireOwnCall(key)
    this.#namespace = namespace
    this.#connection = new NetlinkConnection({ in: this.#reference(), protocol: NETLINK.GENERIC })
    this.#controller = this.#make(controller)
    this.ethtool = new Ethtool(this)
    this.wireguard = new Wireguard(this)
  }

  /** Synchronous. Default: the network that the process is in. */
  static open(where?: NamespaceReference): GenericConnection {
    const namespace = where === undefined ? undefined : keepNamespace(where)
    try {
      return new GenericConnection(construct, namespace)
    } catch (error) {
      namespace?.release()
      throw error
    }
  }

  /** All families that are registered now; others may come when they are asked for, with their modules. */
  async families(options?: WaitOptions): Promise<GenericFamilyInfo[]> {
    const messages = await this.#controller.dump(CTRL_CMD.GETFAMILY, {
      operation: 'list generic netlink families',
      signal: options?.signal,
    })
    return messages.flatMap(message => familyInfo(message.read(familyTable).values) ?? [])
  }

  /**
   * A family by its name (`ethtool`). The kernel loads its module if need be. Asked once and remembered.
   * @throws NetloomError `ERR_UNSUPPORTED` where the kernel has none of that name
   */
  family(name: string, options?: WaitOptions): Promise<GenericFamily> {
    if (typeof name !== 'string') throw invalidArgumentType('name', 'a string', name)
    // GENL_NAMSIZ, with the zero byte.
    if (name === '' || name.includes('\0') || new TextEncoder().encode(name).length > 15) {
      throw invalidArgumentValue('name', name, 'must have 1 to 15 bytes')
    }
    throwIfAborted(options?.signal)
    let family = this.#families.get(name)
    if (!family) {
      family = this.#find(name)
      this.#families.set(name, family)
      // Its module may be there the next time.
      family.catch(() => this.#families.delete(name))
    }
    return family
  }

  /** What the kernel takes for the requests of a family, as far as it says. */
  async policy(name: string, options?: WaitOptions): Promise<FamilyPolicy> {
    const { info } = await this.family(name, options)
    const messages = await this.#controller.dump(CTRL_CMD.GETPOLICY, {
      operation: 'get policy of generic netlink family',
      subject: name,
      signal: options?.signal,
      table: familyTable,
      values: { id: info.id },
    })
    return readPolicy(messages)
  }

  /** Where sockets of its kind are opened. @internal */
  get namespace(): NamespaceReference | undefined {
    if (!this.#open) throw new NetloomError('ERR_INVALID_STATE', 'the netlink connection is closed')
    return this.#reference()
  }

  /** Ends at once: requests under way reject, subscriptions end. Idempotent. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#connection.close()
    for (const queue of [...this.#subscriptions]) queue.end()
    this.#namespace?.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async #find(name: string): Promise<GenericFamily> {
    let info: GenericFamilyInfo | undefined
    try {
      const [message] = await this.#controller.request(CTRL_CMD.GETFAMILY, {
        operation: 'find generic netlink family',
        subject: name,
        table: familyTable,
        values: { name },
      })
      info = message && familyInfo(message.read(familyTable).values)
    } catch (error) {
      if (!(error instanceof NetlinkError && error.code === 'ENOENT')) throw error
      const provider = providers.get(name) ?? `module ${name}`
      throw new NetloomError('ERR_UNSUPPORTED', `the kernel has no netlink family ${name} (${provider})`, {
        cause: error,
      })
    }
    if (!info) throw new NetloomError('ERR_NETLINK_PROTOCOL', `the kernel does not describe family ${name}`)
    return this.#make(info)
  }

  #make(info: GenericFamilyInfo): GenericFamily {
    return new GenericFamily(
      info,
      this.#connection,
      () => this.namespace,
      queue => {
        this.#subscriptions.add(queue)
        queue.onEnd(() => this.#subscriptions.delete(queue))
      },
    )
  }

  #reference(): NamespaceReference | undefined {
    return this.#namespace && { fd: this.#namespace.fd, id: '' }
  }
}
