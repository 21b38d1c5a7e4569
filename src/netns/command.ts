import {
  type ChildProcess,
  type SpawnOptions as NodeSpawnOptions,
  type StdioOptions,
  spawn,
} from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { types } from 'node:util'
import { invalidArgumentType, NetloomError, requireInteger, requireOptions } from '../errors/index.js'
import { abortError, throwIfAborted } from '../lifecycle/index.js'
import { callInside, closeDescriptor, identify, identifyFile, openOwner } from './handle.js'

/** As of Node's `child_process.spawn`. */
export type SpawnOptions = NodeSpawnOptions

export interface ExecOptions {
  cwd?: string | undefined
  env?: NodeJS.ProcessEnv | undefined
  /** Given to the command as its standard input, which is empty otherwise. */
  input?: string | Uint8Array | undefined
  /** False: a command that fails resolves like one that succeeds. Default true. */
  reject?: boolean | undefined
  /** Ends the command (SIGTERM) and rejects with `AbortError`. */
  signal?: AbortSignal | undefined
  /** Ends the command (SIGKILL) after so many milliseconds. */
  timeoutMs?: number | undefined
}

export interface ExecResult {
  stdout: string
  stderr: string
  /** The exit code; `null` when a signal ended the command. */
  code: number | null
  signal: NodeJS.Signals | null
}

/** A command that ended badly; what it said is in `result`. */
export class CommandError extends NetloomError {
  readonly result: ExecResult

  constructor(command: string, result: ExecResult, timeoutMs?: number) {
    const late = timeoutMs === undefined ? '' : ` after ${timeoutMs} ms (timeoutMs)`
    const how =
      result.code === null ? `was ended by ${result.signal}${late}` : `ended with code ${result.code}`
    const said = result.stderr.trim().split('\n').at(-1)
    super('ERR_COMMAND_FAILED', `${command} ${how}${said ? `: ${said}` : ''}`)
    this.result = result
  }

  static {
    CommandError.prototype.name = 'CommandError'
  }
}

export function spawnInside(
  namespace: number,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  // Node's own takes options in this place.
  if (!Array.isArray(args)) throw invalidArgumentType('args', 'an array of strings', args)
  // A new process starts in the namespace of the thread that forks it.
  const started = callInside(namespace, () => spawn(command, args, options))
  return started?.value ?? spawnThroughNsenter(namespace, command, args, options)
}

/** Where rights come from a user namespace, which no thread of a process with several can enter: setns(2). */
function spawnThroughNsenter(
  namespace: number,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  requireNsenter(options.env ?? process.env)
  const stdio = threeOrMore(options.stdio)
  const user = openOwner(namespace)
  try {
    // The command's numbers: nsenter finds the namespaces among what it inherits, so that nobody can close them
    // or put others in their place while it starts.
    const [net, owner] = [stdio.length, stdio.length + 1]
    const flags = [`--net=/proc/self/fd/${net}`, '--preserve-credentials']
    // Entering the user namespace that one is in is refused (setns(2), EINVAL).
    if (identify(user) !== identifyFile('/proc/self/ns/user')) flags.unshift(`--user=/proc/self/fd/${owner}`)
    return spawn('nsenter', [...flags, '--', command, ...args], {
      ...options,
      stdio: [...stdio, namespace, user],
    })
  } finally {
    closeDescriptor(user)
  }
}

function requireNsenter(env: NodeJS.ProcessEnv): void {
  for (const directory of (env.PATH ?? '/usr/bin:/bin').split(delimiter)) {
    try {
      accessSync(join(directory, 'nsenter'), constants.X_OK)
      return
    } catch {}
  }
  throw new NetloomError(
    'ERR_UNSUPPORTED',
    'running a program in a namespace that belongs to a user namespace needs nsenter, of the package util-linux, in PATH',
  )
}

function threeOrMore(stdio: StdioOptions | undefined) {
  const list = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio]
  while (list.length < 3) list.push('pipe')
  return list.map((entry, i) => entry ?? (i < 3 ? 'pipe' : 'ignore'))
}

const execOptions = ['cwd', 'env', 'input', 'reject', 'signal', 'timeoutMs'] as const

export async function execInside(
  namespace: number,
  command: string,
  args: readonly string[],
  options?: ExecOptions,
): Promise<ExecResult> {
  const { cwd, env, input, reject, signal, timeoutMs } = requireOptions('options', options, execOptions)
  if (timeoutMs !== undefined) requireInteger('options.timeoutMs', timeoutMs, 1, 2 ** 31 - 1)
  if (input !== undefined && typeof input !== 'string' && !types.isUint8Array(input)) {
    throw invalidArgumentType('options.input', 'a string or an instance of Uint8Array', input)
  }
  throwIfAborted(signal)
  const begun = performance.now()
  const child = spawnInside(namespace, command, args, {
    cwd,
    env,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    signal,
    timeout: timeoutMs,
    killSignal: timeoutMs === undefined ? 'SIGTERM' : 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  // A command that does not read all of its input is its own affair.
  child.stdin?.on('error', () => {}).end(input)
  const result = await new Promise<ExecResult>((resolve, fail) => {
    let aborted = false
    child.once('error', error => {
      // The command has been told to end; it is over when it has closed its output.
      if (error.name === 'AbortError') aborted = true
      else fail(error)
    })
    child.once('close', (code, by) =>
      aborted ? fail(abortError(signal!)) : resolve({ stdout, stderr, code, signal: by }),
    )
  })
  if (result.code !== 0 && reject !== false) {
    const late =
      result.signal === 'SIGKILL' && timeoutMs !== undefined && performance.now() - begun >= timeoutMs
    throw new CommandError(command, result, late ? timeoutMs : undefined)
  }
  return result
}
