import { NetloomError } from '../errors/index.js'
import { closeDescriptor, disownDescriptor } from './handle.js'

/** A descriptor that closes with this object, or at the latest with the worker, unless it is taken. */
export abstract class OwnedDescriptor implements Disposable {
  #fd: number

  /** @internal */
  constructor(fd: number) {
    this.#fd = fd
  }

  /** -1 once taken or closed. */
  get fd(): number {
    return this.#fd
  }

  /** The descriptor, now the caller's, who closes it. @throws NetloomError `ERR_INVALID_STATE` once taken or closed */
  take(): number {
    if (this.#fd < 0) throw new NetloomError('ERR_INVALID_STATE', 'the descriptor was taken or closed before')
    const fd = this.#fd
    this.#fd = -1
    return disownDescriptor(fd)
  }

  close(): void {
    if (this.#fd >= 0) closeDescriptor(this.take())
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
