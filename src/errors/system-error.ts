export interface SystemErrorOptions {
  /** Negative error number, as in Node. */
  errno: number
  /** The system call that failed: `ioctl`, `open`, `setns`. */
  syscall: string
  /** What was asked of it: `TUNSETIFF`. */
  request?: string | undefined
  /** Of what: a device name or a path. */
  subject?: string | undefined
  /** What the reader can do about it. */
  hint?: string | undefined
  cause?: unknown
}

/** The kernel refused a system call. `code`, `errno` and `syscall` are as in Node's own errors. */
export class SystemError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string
  readonly request: string | undefined
  readonly subject: string | undefined

  constructor(options: SystemErrorOptions) {
    const { errno, syscall, request, subject, hint, cause } = options
    const code = errnoName(errno)
    const what = [syscall, request, subject].filter(Boolean).join(' ')
    super(
      `${code}: ${errnoText(errno)}, ${what}${hint ? ` (${hint})` : ''}`,
      cause === undefined ? {} : { cause },
    )
    this.code = code
    this.errno = errno
    this.syscall = syscall
    this.request = request
    this.subject = subject
  }

  static {
    SystemError.prototype.name = 'SystemError'
  }
}

// Numbers that libuv's table lacks but that the kernel returns here (include/uapi/asm-generic/errno.h,
// include/linux/errno.h).
const extraErrors = new Map<number, readonly [string, string]>([
  [-77, ['EBADFD', 'file descriptor in bad state']],
  [-76, ['ENOTUNIQ', 'name not unique on network']],
  [-524, ['ENOTSUPP', 'operation is not supported']],
])

/** The name of a negative error number: `-1` is `EPERM`. */
export function errnoName(errno: number): string {
  return lookUp(errno)?.[0] ?? `E${-errno}`
}

function errnoText(errno: number): string {
  return lookUp(errno)?.[1] ?? 'unknown error'
}

// Asked for when needed, not imported: the rooms that need no kernel load where there is no Node either.
function lookUp(errno: number): readonly [string, string] | undefined {
  const { getSystemErrorMap } = process.getBuiltinModule('node:util')
  return getSystemErrorMap().get(errno) ?? extraErrors.get(errno)
}
