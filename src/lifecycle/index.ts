/**
 * Closing, aborting and waiting: the small pieces that every live object is made of.
 * May use `errors`.
 */
export { abortError, checkSignal, onAbort, throwIfAborted } from './abort.js'
export { abortable } from './abortable.js'
export { type Deferred, deferred } from './deferred.js'
export { DisposeStack } from './dispose-stack.js'
export { EventQueue } from './event-queue.js'
