#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { isNetloomError, NetloomError, SystemError } from '../errors/index.js'
import { parseCommand, UsageError, usageOf, usageOfAll } from './command.js'
import { commands } from './commands/index.js'

/** The exit status: 0, 1 for what the kernel refused, 2 for a wrong command line. */
async function main([name, ...args]: string[]): Promise<number> {
  if (name === '--help' || name === '-h') {
    process.stdout.write(usageOfAll(commands))
    return 0
  }
  if (name === '--version') {
    process.stdout.write(`${version()}\n`)
    return 0
  }
  const command = commands.find(each => each.name === name)
  if (!command) {
    const problem = name === undefined ? '' : `netloom: there is no command '${name}'\n\n`
    process.stderr.write(problem + usageOfAll(commands))
    return 2
  }
  try {
    const parsed = parseCommand(command, args)
    if (parsed) return await command.run(parsed.values, parsed.words)
    process.stdout.write(usageOf(command))
    return 0
  } catch (error) {
    if (isOfUsage(error)) {
      process.stderr.write(`netloom: ${error.message}\n\n${usageOf(command)}`)
      return 2
    }
    process.stderr.write(`netloom: ${complaint(error)}\n`)
    // Of a filter, the usage of the command says nothing.
    return isNetloomError(error, 'ERR_FILTER_INVALID') ? 2 : 1
  }
}

/** Also values that Netloom itself refuses, such as an impossible MAC address. */
function isOfUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^ERR_(INVALID_ARG_(TYPE|VALUE)|OUT_OF_RANGE)$/.test(code)
}

/** What the system refused says it all; anything else says where it comes from. */
function complaint(error: unknown): string {
  if (error instanceof SystemError || error instanceof NetloomError) return error.message
  // Node's own, of files.
  if (error instanceof Error && 'syscall' in error) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit(0)
})

main(process.argv.slice(2)).then(status => {
  process.exitCode = status
  // After a failure there may be a server or a connection that nobody will close.
  if (status !== 0) process.exit()
})
