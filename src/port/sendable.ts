import { types } from 'node:util'
import { invalidArgumentType, invalidArgumentValue, outOfRange } from '../errors/index.js'
import { type FrameBatch, GsoColumn, type LinkType } from '../frames/index.js'

/** @internal The columns of a batch, read once: what was checked is what is sent, whatever the batch says later. */
export interface Sendable {
  readonly slab: Uint8Array
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly count: number
  /** What is left undone in each frame. */
  readonly gso?: GsoColumn | undefined
}

/**
 * @internal Checks what a port was asked to send, from frame `from` on: a batch of the port's link type whose frames
 * lie inside its slab, or the bytes of one frame. No allocation per frame.
 *
 * Shared, resizable and detached memory is refused: it could change or vanish while the port copies it.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE`
 * @throws RangeError `ERR_OUT_OF_RANGE` for `from` and for a frame outside the slab
 * @throws NetloomError `ERR_BATCH_RELEASED` from a batch whose memory went back to its port
 */
export function checkSendable<L extends LinkType>(
  batch: FrameBatch<L> | Uint8Array,
  linkType: L,
  from = 0,
): Sendable {
  const sendable = types.isUint8Array(batch) ? singleFrame(batch) : columns(batch, linkType)
  const { slab, offsets, lengths, count } = sendable
  if (!Number.isInteger(from) || from < 0 || from > count)
    throw outOfRange('from', `>= 0 and <= ${count}`, from)
  const end = slab.length
  for (let i = from; i < count; i++) {
    if (offsets[i]! + lengths[i]! > end) {
      throw outOfRange(`batch.offsets[${i}] + batch.lengths[${i}]`, `<= ${end}`, offsets[i]! + lengths[i]!)
    }
  }
  return sendable
}

const atZero = new Uint32Array(1)

function singleFrame(frame: Uint8Array): Sendable {
  checkMemory('frame', frame)
  return { slab: frame, offsets: atZero, lengths: Uint32Array.of(frame.length), count: 1 }
}

function columns<L extends LinkType>(batch: FrameBatch<L>, linkType: L): Sendable {
  if (typeof batch !== 'object' || batch === null || Array.isArray(batch) || isOtherMemory(batch)) {
    throw invalidArgumentType('batch', 'a FrameBatch or an instance of Uint8Array', batch)
  }
  const { slab, offsets, lengths, count, gso } = batch
  if (!types.isUint8Array(slab)) throw invalidArgumentType('batch.slab', 'an instance of Uint8Array', slab)
  checkColumn('batch.offsets', offsets, count)
  checkColumn('batch.lengths', lengths, count)
  checkMemory('batch.slab', slab)
  if (batch.linkType !== linkType) {
    throw invalidArgumentValue('batch.linkType', batch.linkType, `must be '${linkType}', as the port's is`)
  }
  if (gso !== undefined) {
    if (!(gso instanceof GsoColumn)) throw invalidArgumentType('batch.gso', 'an instance of GsoColumn', gso)
    checkMemory('batch.gso.bytes', gso.bytes)
    if (gso.count < count) throw outOfRange('batch.gso.count', `>= ${count}`, gso.count)
  }
  return { slab, offsets, lengths, count, gso }
}

function isOtherMemory(value: object): boolean {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)
}

function checkColumn(name: string, column: unknown, count: unknown): void {
  if (!types.isUint32Array(column)) throw invalidArgumentType(name, 'an instance of Uint32Array', column)
  checkMemory(name, column)
  if (typeof count !== 'number') throw invalidArgumentType('batch.count', 'a number', count)
  if (!Number.isInteger(count) || count < 0 || count > column.length) {
    throw outOfRange('batch.count', `an integer >= 0 and <= the ${column.length} of ${name}`, count)
  }
}

function checkMemory(name: string, view: Uint8Array | Uint32Array): void {
  const { buffer } = view
  if (types.isSharedArrayBuffer(buffer)) {
    throw invalidArgumentValue(name, view, 'must not be over a SharedArrayBuffer')
  }
  if ((buffer as { resizable?: boolean }).resizable) {
    throw invalidArgumentValue(name, view, 'must not be over a resizable ArrayBuffer')
  }
  if (buffer.byteLength === 0 && isDetached(buffer)) {
    throw invalidArgumentValue(name, view, 'must not be over a detached ArrayBuffer')
  }
}

/** Node 20 lacks `ArrayBuffer.prototype.detached`; a view can't be made over detached memory. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
