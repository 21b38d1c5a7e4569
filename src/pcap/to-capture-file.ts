import { CaptureEncoder, type CaptureFileOptions, type CaptureInput } from './capture-encoder.js'

/**
 * The bytes of a capture file, as they come: for `pipeline(captureBytes(batches), createWriteStream('a.pcapng'))` of
 * Node, or for a `Response`. Each batch is released once its bytes are made.
 */
export async function* captureBytes(
  source: Iterable<CaptureInput> | AsyncIterable<CaptureInput>,
  options?: CaptureFileOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new CaptureEncoder(options)
  for await (const input of source) {
    const parts = encoder.encode(input)
    if ('release' in input) input.release()
    yield* parts
  }
  yield* encoder.end()
}

/**
 * A Web stream that writes a capture file to `sink`. Whoever writes a batch to it hands it over: it is released once
 * its bytes are made. Closing or aborting the stream does the same to the sink.
 */
export function toCaptureFile(
  sink: WritableStream<Uint8Array>,
  options?: CaptureFileOptions,
): WritableStream<CaptureInput> {
  const encoder = new CaptureEncoder(options)
  const writer = sink.getWriter()
  const write = async (parts: readonly Uint8Array[]) => {
    for (const part of parts) {
      await writer.ready
      await writer.write(part)
    }
  }
  return new WritableStream<CaptureInput>({
    async write(input) {
      const parts = encoder.encode(input)
      if ('release' in input) input.release()
      await write(parts)
    },
    async close() {
      await write(encoder.end())
      await writer.close()
    },
    abort: reason => writer.abort(reason),
  })
}
