import type { FrameBatch, FramePort } from '../../port/index.js'

// The cable: this function, once in each direction, is all that joins the two kernels' stacks.
export async function cable(from: EthernetPort, to: EthernetPort, look: (batch: FrameBatch) => void) {
  for await (const batch of from.batches()) {
    look(batch)
    await to.send(batch)
  }
}

type EthernetPort = FramePort<'ethernet'>
