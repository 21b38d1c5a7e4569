import type { ChildProcess } from 'node:child_process'
import type dgram from 'node:dgram'
import { readdir } from 'node:fs/promises'
import type net from 'node:net'
import {
  construct,
  invalidArgumentValue,
  NetloomError,
  requireInteger,
  requireOptions,
  requireOwnCall,
} from '../errors/index.js'
import { type ExecOptions, type ExecResult, execInside, type SpawnOptions, spawnInside } from './command.js'
import {
  closeDescriptor,
  createNamespace,
  duplicateNamespace,
  identify,
  nameNamespace,
  namesDirectory,
  openNamespace,
  unnameNamespace,
} from './handle.js'
import {
  checkName,
  type NamespaceHandle,
  type NamespaceReference,
  namespaceDescriptor,
  openNamed,
  openOfProcess,
} from './reference.js'
import {
  type BindOptions,
  bindInside,
  type ConnectOptions,
  type Connector,
  connectInside,
  connectorInside,
  type ListenOptions,
  listenInside,
  type NamespaceSocket,
  type SocketKind,
  type SocketOptions,
  socketInside,
} from './socket.js'
import { Sysctl } from './sysctl.js'

export interface NamespaceCreateOptions {
  /** A name that `ip netns` sees too. Without one the namespace goes with its last handle and process. */
  name?: string | undefined
  /**
   * In a new user namespace where we are root, which needs no rights outside; or in the same user namespace as
   * another network namespace, which links can be moved between. Default false: the process's own.
   */
  userNamespace?: boolean | NamespaceReference | undefined
}

/** Exactly one of these. */
export interface NamespaceOpenOptions {
  name?: string | undefined
  pid?: number | undefined
  /** A descriptor of a namespace; it stays the caller's. */
  fd?: number | undefined
  path?: string | undefined
}

/**
 * A handle on a network namespace. `close()` lets go of it; `delete()` also takes its name away. Programs and
 * sockets inside live on and keep the namespace alive.
 */
export class Namespace implements NamespaceHandle, AsyncDisposable {
  #fd: number
  /** Device and inode number, `4:4026532281`: the same for every handle on the same namespace. */
  readonly id: string
  /** The name by which it was created or opened. */
  readonly name: string | undefined
  /** The kernel's settings inside. */
  readonly sysctl = new Sysctl(() => this.#open())

  private constructor(key: typeof construct, fd: number, name: string | undefined) {
    requireOwnCall(key)
    this.#fd = fd
    this.id = identify(fd)
    this.name = name
  }

  /**
   * A new namespace, with nothing in it but a loopback interface that is down.
   * @throws NetloomError `ERR_NAMESPACE_EXISTS`; SystemError
   */
  static async create(options?: NamespaceCreateOptions): Promise<Namespace> {
    const { name, userNamespace = false } = requireOptions('options', options, ['name', 'userNamespace'])
    if (name !== undefined) checkName(name)
    using beside = namespaceDescriptor(typeof userNamespace === 'boolean' ? undefined : userNamespace)
    const fd = createNamespace(userNamespace === true, beside.fd)
    try {
      if (name !== undefined) nameNamespace(fd, name)
      return new Namespace(construct, fd, name)
    } catch (error) {
      closeDescriptor(fd)
      throw error
    }
  }

  /**
   * What exists already; `'current'` is where this process is.
   * @throws NetloomError `ERR_NAMESPACE_NOT_FOUND`; SystemError
   */
  static async open(which: NamespaceOpenOptions | 'current' = 'current'): Promise<Namespace> {
    if (which === 'current')
      return new Namespace(construct, openNamespace('/proc/thread-self/ns/net', 'namespace'), undefined)
    const { name, pid, fd, path } = requireOptions('options', which, ['name', 'pid', 'fd', 'path'])
    if ([name, pid, fd, path].filter(value => value !== undefined).length !== 1) {
      throw invalidArgumentValue('options', which, 'must have exactly one of name, pid, fd and path')
    }
    if (name !== undefined) return new Namespace(construct, openNamed(name), name)
    if (pid !== undefined) return new Namespace(construct, openOfProcess(pid), undefined)
    if (path !== undefined)
      return new Namespace(construct, openNamespace(path, `namespace at ${path}`), undefined)
    requireInteger('options.fd', fd, 0, 2 ** 31 - 1)
    return new Namespace(construct, duplicateNamespace(fd!), undefined)
  }

  /** The names that `ip netns list` shows, in order. */
  static async list(): Promise<string[]> {
    try {
      return (await readdir(namesDirectory)).sort()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  /** Takes a name away; what holds the namespace otherwise keeps it. @throws NetloomError `ERR_NAMESPACE_NOT_FOUND` */
  static async delete(name: string): Promise<void> {
    unnameNamespace(checkName(name))
  }

  /** The descriptor; -1 once closed. Lent: it stays this object's. */
  get fd(): number {
    return this.#fd
  }

  /**
   * Runs a program inside to its end.
   * @throws CommandError (rejects) when it fails, unless `reject: false`; Node's error when it cannot start
   */
  async exec(command: string, args: readonly string[] = [], options?: ExecOptions): Promise<ExecResult> {
    return execInside(this.#open(), command, args, options)
  }

  /** Node's `child_process.spawn`, inside. */
  spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
    return spawnInside(this.#open(), command, args, options)
  }

  /** A socket for `net` or `dgram` that lives inside: `new net.Socket({ fd: socket.take() })`. */
  socket(kind: SocketKind, options?: SocketOptions): NamespaceSocket {
    return socketInside(this.#open(), kind, options)
  }

  /** Makes an ordinary `net`, `http`, `https`, `http2` or `tls` server listen inside. */
  async listen(server: net.Server, options?: ListenOptions): Promise<void> {
    return listenInside(this.#open(), server, options)
  }

  /** Binds a `dgram` socket inside; its `listening` event comes before this resolves. */
  async bind(socket: dgram.Socket, options?: BindOptions): Promise<void> {
    bindInside(this.#open(), socket, options)
  }

  /** A TCP connection from inside. */
  async connect(options: ConnectOptions): Promise<net.Socket> {
    return connectInside(this.#open(), options)
  }

  /** Lets ordinary clients connect from inside: `http.get({ host, port, createConnection: namespace.connector() })`. */
  connector(): Connector {
    return connectorInside(() => this.#open())
  }

  /** Lets go of the namespace. Idempotent. */
  async close(): Promise<void> {
    if (this.#fd < 0) return
    const fd = this.#fd
    this.#fd = -1
    closeDescriptor(fd)
  }

  /** Closes the handle and takes the name away, if there is one. */
  async delete(): Promise<void> {
    await this.close()
    if (this.name !== undefined) unnameNamespace(this.name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #open(): number {
    if (this.#fd < 0) throw new NetloomError('ERR_INVALID_STATE', 'the namespace is closed')
    return this.#fd
  }
}
