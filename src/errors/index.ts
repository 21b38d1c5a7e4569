/**
 * The error catalogue: every error that Netloom throws on purpose is made here.
 *
 * Three families, shaped like Node's own:
 * - bad arguments are `TypeError` or `RangeError` with Node's codes (`ERR_INVALID_ARG_TYPE`, …);
 * - a refusal by the kernel is a {@link SystemError} with `code`, negative `errno` and `syscall`;
 * - a condition of our own is a {@link NetloomError} with one of {@link errorCodes}.
 *
 * Imports nothing.
 */
export {
  construct,
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
  requireBoolean,
  requireInteger,
  requireObject,
  requireOptions,
  requireOwnCall,
  underPath,
} from './arguments.js'
export { type ErrorCode, errorCodes } from './codes.js'
export { isNetloomError, NetloomError } from './netloom-error.js'
export { errnoName, SystemError, type SystemErrorOptions } from './system-error.js'
