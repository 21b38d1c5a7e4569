import { invalidArgumentType } from '../errors/index.js'
import type { PortEvent } from '../port/index.js'
import type { TuntapOptions } from './options.js'
import { type Attached, adoptDescriptor, attachDevice, readDescriptor, TuntapPort } from './tuntap-port.js'

/** A TAP device, or one queue of it: Ethernet frames without their checksum trailer. */
export class Tap extends TuntapPort<'ethernet'> {
  private constructor(attached: Attached) {
    super('ethernet', attached)
  }

  static async create(options?: TuntapOptions): Promise<Tap> {
    return new Tap(attachDevice('ethernet', options, 'create'))
  }
  override events(): AsyncIterableIterator<PortEvent> {
    throw new Error('x')
  }
  protected override kernelDrops(): bigint {
    return 0n
  }
  protected override onEnd(): void {}
}
