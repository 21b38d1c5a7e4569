import { fileURLToPath } from 'node:url'
import { Network } from '../../lib/network/index.js'
import { buildFloor } from './floor.mjs'
import { loadCore, measuredCore } from './machine.mjs'
import { Program, runTime } from './program.mjs'

/** On one core, unless it is `any`, and not without us. */
function bound(core, command, args) {
  if (core === 'any') return ['setpriv', ['--pdeathsig', 'KILL', command, ...args]]
  return ['setpriv', ['--pdeathsig', 'KILL', 'taskset', '-c', `${core}`, command, ...args]]
}

/** Networks and programs of one case, ended in reverse. All networks are anonymous: none outlives its processes. */
export class Lab {
  #ending = new AbortController()
  #networks = []
  #programs = []

  async network() {
    const network = await Network.create()
    this.#networks.push(network)
    return network
  }

  /** A C floor in one of its roles, on the measured core, or on the other if it makes `load`. */
  floor(network, args, { source, load = false, ...options } = {}) {
    return this.#start(network, load ? loadCore : measuredCore, buildFloor(source), args, options)
  }

  /** Somebody else's program, on the measured core, that says on its standard error when it is `ready`. */
  watcher(network, command, args, ready) {
    return this.daemon(network, command, args, { ready })
  }

  /** A program that runs until the end of the case. Resolves once it has said `ready`, which may be `undefined`. */
  async daemon(network, command, args, { ready, core = measuredCore, env = process.env }) {
    const child = network.namespace.spawn(...bound(core, command, args), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    })
    const ended = new Promise(resolve => child.once('exit', resolve))
    const kill = () => child.kill('SIGKILL')
    this.#programs.push({
      kill,
      close() {
        kill()
        return ended
      },
    })
    await new Promise((resolve, reject) => {
      let said = ''
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`${command} ended with ${code}: ${said}`)))
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', text => {
          said += text
          if (said.includes(ready)) resolve()
        })
      }
      if (ready === undefined) child.once('spawn', resolve)
    })
    return { runTime: () => runTime(child.pid) }
  }

  /** A program of bench/programs, on the measured core or another. */
  node(network, program, args = [], { core = measuredCore, ...options } = {}) {
    const file = fileURLToPath(new URL(`../programs/${program}.mjs`, import.meta.url))
    return this.#start(network, core, process.execPath, [file, ...args], options)
  }

  /** The sender of floods. */
  blaster(network) {
    return this.#start(network, loadCore, buildFloor(), ['blast'])
  }

  /** Any program, on the load core, to its end; its output. */
  async run(network, command, args, { core = loadCore, ...options } = {}) {
    const { stdout } = await network.namespace.exec(...bound(core, command, args), {
      signal: this.#ending.signal,
      timeoutMs: 30_000,
      ...options,
    })
    return stdout
  }

  /** A server of somebody else's, on the load core; resolves once it has said `ready`. */
  server(network, command, args, ready) {
    return this.daemon(network, command, args, { ready, core: loadCore })
  }

  async close() {
    for (const program of this.#programs.splice(0).reverse()) await program.close()
    for (const network of this.#networks.splice(0).reverse()) await network.delete()
  }

  /** For when the whole run is being ended: there is no waiting for what goes on. */
  async kill() {
    this.#ending.abort()
    for (const program of this.#programs) program.kill()
    await this.close()
  }

  async #start(network, core, command, args, { inherit = [] } = {}) {
    const child = network.namespace.spawn(...bound(core, command, args), {
      stdio: ['pipe', 'pipe', 'inherit', ...inherit],
    })
    const program = new Program(child, [command, ...args].join(' '))
    this.#programs.push(program)
    await program.answer()
    return program
  }
}
