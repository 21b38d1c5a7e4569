import { invalidArgumentType, invalidArgumentValue, NetloomError, requireInteger } from '../errors/index.js'
import { closeDescriptor, duplicateNamespace, namesDirectory, openNamespace } from './handle.js'

/** What a `Namespace` looks like to those who only open things in it. */
export interface NamespaceHandle {
  /** -1 once closed. */
  readonly fd: number
  readonly id: string
}

/** Anything that lives in a namespace of its own, such as a `Network`. */
export interface NamespaceHolder {
  readonly namespace: NamespaceHandle
}

/** How `in:` options refer to a namespace: a name, a process id, a `Namespace`, or what has one. */
export type NamespaceReference = string | number | NamespaceHandle | NamespaceHolder

/** A namespace for the time of a synchronous call. */
export interface NamespaceDescriptor extends Disposable {
  /** -1: where the process is. */
  readonly fd: number
  /** It belongs to a handle that somebody may close. */
  readonly borrowed: boolean
  release(): void
}

/**
 * The descriptor behind an `in:` option. The caller releases it in the same turn.
 * @throws NetloomError `ERR_NAMESPACE_NOT_FOUND`, `ERR_INVALID_STATE` for a closed handle; TypeError
 */
export function namespaceDescriptor(reference: NamespaceReference | undefined): NamespaceDescriptor {
  if (reference === undefined) return borrowed(-1)
  if (typeof reference === 'string') return owned(openNamed(reference))
  if (typeof reference === 'number') return owned(openOfProcess(reference))
  if (typeof reference === 'object' && reference !== null) {
    const handle = 'namespace' in reference ? reference.namespace : reference
    if (typeof handle === 'object' && handle !== null && typeof handle.fd === 'number') {
      if (handle.fd < 0) throw new NetloomError('ERR_INVALID_STATE', 'the namespace is closed')
      return borrowed(handle.fd)
    }
  }
  throw invalidArgumentType('in', 'a Network, a Namespace, a name or a process id', reference)
}

/** A descriptor of one's own, for as long as it takes. */
export function keepNamespace(reference: NamespaceReference): NamespaceDescriptor {
  const namespace = namespaceDescriptor(reference)
  return namespace.borrowed ? owned(duplicateNamespace(namespace.fd)) : namespace
}

export function openNamed(name: string): number {
  return openNamespace(`${namesDirectory}/${checkName(name)}`, `namespace named ${name}`)
}

export function openOfProcess(pid: number): number {
  requireInteger('pid', pid, 1, 2 ** 22)
  return openNamespace(`/proc/${pid}/ns/net`, `process ${pid}`)
}

/** A name that can be a file's. */
export function checkName(name: string): string {
  if (typeof name !== 'string') throw invalidArgumentType('name', 'a string', name)
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || Buffer.byteLength(name) > 255) {
    throw invalidArgumentValue('name', name, 'must be a file name')
  }
  return name
}

function borrowed(fd: number): NamespaceDescriptor {
  return { fd, borrowed: true, release() {}, [Symbol.dispose]() {} }
}

function owned(fd: number): NamespaceDescriptor {
  let open = true
  const release = () => {
    if (!open) return
    open = false
    closeDescriptor(fd)
  }
  return { fd, borrowed: false, release, [Symbol.dispose]: release }
}
