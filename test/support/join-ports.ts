import type { LinkType } from '../../src/frames/index.js'
import type { FramePort } from '../../src/port/index.js'

/** Passes frames on, both ways, until the ports are closed; resolves with how many were super-frames. */
export async function joinPorts<L extends LinkType>(a: FramePort<L>, b: FramePort<L>): Promise<number> {
  let whole = 0
  const pass = async (from: FramePort<L>, to: FramePort<L>) => {
    for await (const batch of from.batches()) {
      for (let i = 0; i < batch.count; i++) if (batch.gso?.isSuperFrame(i)) whole++
      try {
        await to.send(batch)
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_PORT_CLOSED') throw error
      }
    }
  }
  await Promise.all([pass(a, b), pass(b, a)])
  return whole
}
