import { ReadableStream, WritableStream } from 'node:stream/web'
import type { FrameBatch, LinkType } from '../frames/index.js'
import { batchesAs } from './ownership.js'
import type { FramePort, ReceiveOptions } from './port.js'
import { requirePort } from './require-port.js'

/**
 * What the port receives as a Web stream of batches. Nothing is read ahead: a batch is received when somebody
 * asks for it.
 *
 * The batches are kept (see {@link FrameBatch.keep}): they are the consumer's, who calls `release()` when done
 * with one, or leaves it to the garbage collector, which is slower to give the memory back.
 *
 * The stream owns the port until it is canceled or the port ends; canceling does not close the port.
 *
 * @throws NetloomError `ERR_PORT_LOCKED` when the port has a reader
 */
export function toReadable<L extends LinkType>(
  port: FramePort<L>,
  options?: ReceiveOptions,
): ReadableStream<FrameBatch<L>> {
  const batches = batchesAs(requirePort(port), 'stream', options)
  let canceled = false
  return new ReadableStream<FrameBatch<L>>(
    {
      async pull(controller) {
        const step = await batches.next()
        if (!step.done) return controller.enqueue(step.value.keep())
        if (canceled) return
        const reason = await port.closed
        if (reason.type === 'error') throw reason.error
        controller.close()
      },
      async cancel() {
        canceled = true
        await batches.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/**
 * A Web stream that sends the batches and frames written to it, and releases each batch once it is sent:
 * who writes a batch hands it over. Frames that the device refuses are counted in the port's `sentDropped`.
 * Neither closing nor aborting the stream closes the port.
 */
export function toWritable<L extends LinkType>(
  port: FramePort<L>,
): WritableStream<FrameBatch<L> | Uint8Array> {
  requirePort(port)
  return new WritableStream<FrameBatch<L> | Uint8Array>({
    async write(chunk, controller) {
      // The types of Node 20 lack the signal, which it has.
      await port.send(chunk, controller as { signal?: AbortSignal })
      if (!(chunk instanceof Uint8Array)) chunk.release()
    },
  })
}
