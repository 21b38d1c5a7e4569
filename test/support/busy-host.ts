import { setImmediate as turn } from 'node:timers/promises'
import type { Network } from '../../src/network/index.js'
import { FrameBatch } from '../../src/port/index.js'
import { UdpSocket } from '../../src/udp/index.js'

/** A host at one end of the tunnel: it sends as fast as the test lets it, and counts what comes. */
export class Host {
  received = 0
  readonly #socket: UdpSocket
  readonly #sending: Promise<void>
  #going = true

  private constructor(socket: UdpSocket) {
    this.#socket = socket
    void (async () => {
      for await (const batch of socket.batches()) this.received += batch.count
    })()
    this.#sending = this.#send()
  }

  static async start(network: Network, address: string, remote: string): Promise<Host> {
    return new Host(
      await UdpSocket.open({ in: network, address, port: 7000, remote: { address: remote, port: 7000 } }),
    )
  }

  /** Resolves when more has come; the runner ends what never does. */
  async hears(): Promise<void> {
    for (const before = this.received; this.received < before + 100; ) await turn()
  }

  async #send(): Promise<void> {
    const frames = Array.from({ length: 16 }, () => new Uint8Array(1000))
    const datagrams = FrameBatch.from('user0', frames)
    // A way out that is gone is counted in `dropped`.
    for (; this.#going; await turn()) this.#socket.trySend(datagrams)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#going = false
    await this.#sending
    await this.#socket.close()
  }
}
