import type dgram from 'node:dgram'
import net from 'node:net'
import { type IpFamily, parseIpAddress } from '../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import { abortError, onAbort, throwIfAborted } from '../lifecycle/index.js'
import { openSocket } from './handle.js'
import { OwnedDescriptor } from './owned-descriptor.js'

export type SocketKind = 'tcp4' | 'tcp6' | 'udp4' | 'udp6'

const kinds: Record<SocketKind, { family: IpFamily; datagram: boolean }> = {
  tcp4: { family: 4, datagram: false },
  tcp6: { family: 6, datagram: false },
  udp4: { family: 4, datagram: true },
  udp6: { family: 6, datagram: true },
}

export interface SocketOptions {
  /** Where to bind; unbound otherwise. Port 0, the default, is any free one. */
  bind?: { address: string; port?: number | undefined; scope?: number | undefined } | undefined
  /** IPv6 sockets that do not serve IPv4 too. Default false. */
  ipv6Only?: boolean | undefined
}

/**
 * A socket that was opened inside a namespace and stays there. Until `take()` gives the descriptor to `net` or `dgram`
 * (`new net.Socket({ fd: socket.take() })`) it is this object's, and closed with it.
 */
export class NamespaceSocket extends OwnedDescriptor {}

export function socketInside(namespace: number, kind: SocketKind, options?: SocketOptions): NamespaceSocket {
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) {
    throw invalidArgumentValue('kind', kind, "must be 'tcp4', 'tcp6', 'udp4' or 'udp6'")
  }
  const { family, datagram } = kinds[kind]
  const { bind, ipv6Only = false } = requireOptions('options', options, ['bind', 'ipv6Only'])
  const flags = { ipv6: family === 6, datagram, ipv6Only }
  if (bind === undefined) return new NamespaceSocket(openSocket(namespace, flags, undefined))
  requireOptions('options.bind', bind, ['address', 'port', 'scope'])
  const address = parseIpAddress(bind.address)
  if (address.family !== family) {
    throw invalidArgumentValue('options.bind.address', bind.address, `must be an IPv${family} address`)
  }
  const port = requireInteger('options.bind.port', bind.port ?? 0, 0, 65535)
  const scope = requireInteger('options.bind.scope', bind.scope ?? 0, 0, 2 ** 32 - 1)
  return new NamespaceSocket(openSocket(namespace, flags, { bytes: address.bytes, port, scope }))
}

export interface ListenOptions {
  /** An IP address. Default `::`, which serves IPv4 too. */
  host?: string | undefined
  /** Default 0: any free port. */
  port?: number | undefined
  ipv6Only?: boolean | undefined
  /** Connections that may wait to be accepted. Default 511, as in Node. */
  backlog?: number | undefined
}

/** Resolves when the server listens. */
export function listenInside(namespace: number, server: net.Server, options?: ListenOptions): Promise<void> {
  const {
    host = '::',
    port,
    ipv6Only,
    backlog,
  } = requireOptions('options', options, ['host', 'port', 'ipv6Only', 'backlog'])
  if (typeof server?.listen !== 'function') throw invalidArgumentType('server', 'a net.Server', server)
  if (backlog !== undefined) requireInteger('options.backlog', backlog, 0, 2 ** 31 - 1)
  const kind = parseIpAddress(host).family === 6 ? 'tcp6' : 'tcp4'
  const socket = socketInside(namespace, kind, { bind: { address: host, port }, ipv6Only })
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      server.off('listening', onListening).off('error', onError)
      settled()
    }
    const onListening = () => settle(resolve)
    const onError = (error: Error) => settle(() => reject(error))
    server.on('listening', onListening).on('error', onError)
    try {
      server.listen({ fd: socket.fd, ...(backlog === undefined ? {} : { backlog }) })
      socket.take()
    } catch (error) {
      socket.close()
      onError(error as Error)
    }
  })
}

export interface BindOptions {
  /** An IP address. Default: any. */
  address?: string | undefined
  /** Default 0: any free port. */
  port?: number | undefined
  ipv6Only?: boolean | undefined
}

/** Gives a `dgram` socket that is not bound yet a place inside. */
export function bindInside(namespace: number, socket: dgram.Socket, options?: BindOptions): void {
  const { address, port, ipv6Only } = requireOptions('options', options, ['address', 'port', 'ipv6Only'])
  // Functions have a bind(), too.
  if (typeof socket !== 'object' || typeof socket?.bind !== 'function') {
    throw invalidArgumentType('socket', 'a dgram.Socket', socket)
  }
  // dgram keeps the type it was made with, but does not declare it.
  const ipv6 = (socket as dgram.Socket & { type?: string }).type === 'udp6'
  using opened = socketInside(namespace, ipv6 ? 'udp6' : 'udp4', {
    bind: { address: address ?? (ipv6 ? '::' : '0.0.0.0'), port },
    ipv6Only,
  })
  socket.bind({ fd: opened.fd })
  opened.take()
}

export interface ConnectOptions {
  /** An IP address: names would be looked up where the process is, not in the namespace. */
  host: string
  port: number
  /** The address to connect from. */
  localAddress?: string | undefined
  localPort?: number | undefined
  signal?: AbortSignal | undefined
}

/** A `createConnection` for `http.request` and a `connect` for what follows its shape. */
export type Connector = (options: {
  host?: string | null | undefined
  port?: number | string | null | undefined
}) => net.Socket

/** A socket on its way, with Node's own events; connecting through an open handle keeps it in its namespace. */
export function startConnecting(namespace: number, options: Omit<ConnectOptions, 'signal'>): net.Socket {
  const { host, localAddress, localPort } = options
  const { family } = parseIpAddress(host)
  const port = requireInteger('options.port', options.port, 0, 65535)
  const bind =
    localAddress === undefined && localPort === undefined
      ? undefined
      : { address: localAddress ?? (family === 6 ? '::' : '0.0.0.0'), port: localPort }
  using opened = socketInside(namespace, family === 6 ? 'tcp6' : 'tcp4', { bind })
  // `manualStart`: nothing is read before there is a connection.
  const socket = new net.Socket({ fd: opened.fd, manualStart: true } as net.SocketConstructorOpts)
  opened.take()
  return socket.connect({ host, port })
}

export function connectInside(namespace: number, options: ConnectOptions): Promise<net.Socket> {
  const { signal, ...where } = requireOptions('options', options, [
    'host',
    'port',
    'localAddress',
    'localPort',
    'signal',
  ])
  throwIfAborted(signal)
  const socket = startConnecting(namespace, where)
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => socket.destroy(abortError(signal!)))
    const onError = (error: Error) => {
      stop()
      reject(error)
    }
    socket.once('error', onError)
    socket.once('connect', () => {
      stop()
      socket.off('error', onError)
      resolve(socket)
    })
  })
}

export function connectorInside(namespace: () => number): Connector {
  return options =>
    startConnecting(namespace(), { host: options.host ?? '127.0.0.1', port: Number(options.port ?? 80) })
}
