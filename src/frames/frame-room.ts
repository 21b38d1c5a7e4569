/**
 * One piece of memory for a frame that is made from the inside out: the payload is put at its end, and each header is
 * written before what it carries, without a copy.
 */

/** The memory of the frame in the making; each of its bytes is handed out once. */
let room: ArrayBufferLike | undefined

/** Bytes of a header, all 0, and its payload behind it: where the payload is, if there is room before it. */
export function withHeader(length: number, payload: Uint8Array): Uint8Array {
  const { buffer, byteOffset } = payload
  if (buffer === room && byteOffset >= length)
    return new Uint8Array(buffer, byteOffset - length, length + payload.length)
  const bytes = new Uint8Array(length + payload.length)
  bytes.set(payload, length)
  return bytes
}

/** Has `make` make a frame around `payload`, with `headroom` bytes before it. */
export function makeInRoom(
  headroom: number,
  payload: Uint8Array,
  make: (payload: Uint8Array) => Uint8Array,
): Uint8Array {
  const bytes = withHeader(headroom, payload)
  const before = room
  room = bytes.buffer
  try {
    return make(bytes.subarray(headroom))
  } finally {
    room = before
  }
}
