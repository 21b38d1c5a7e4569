import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Network } from '../../network/index.js'
import type { System } from '../doctor/finding.js'
import { system } from '../doctor/system.js'
import { tryNetwork, tryTap } from '../doctor/trials.js'
import { containerAdvice, examineTunDevice } from '../doctor/tun-device.js'

/** What this machine lets us do. */
export type Verdict =
  /** Two namespaces; in a user namespace of our own unless we are root. */
  | { how: 'namespaces'; userNamespace: boolean }
  /** No namespaces, but a TAP where we are. */
  | { how: 'one-tap'; reason: string }
  | Hopeless

interface Hopeless {
  how: 'not-at-all'
  problem: string
  advice: string[]
}

/** Looks, and tries, without leaving anything behind. */
export async function preflight({ file, oneTap }: { file: string; oneTap: boolean }): Promise<Verdict> {
  if (process.platform !== 'linux') {
    return notAtAll(`Netloom opens devices on Linux only; this is ${process.platform}.`)
  }
  const obstacle = deviceObstacle(system)
  if (obstacle) return obstacle
  if (oneTap) return { how: 'one-tap', reason: 'as you asked' }
  let refusal = ''
  for (const userNamespace of [false, true]) {
    const network = await tryNetwork(userNamespace)
    if (!(network instanceof Network)) {
      refusal = network.message
      continue
    }
    await using _ = network
    const tap = await tryTap(network)
    if (tap !== true) refusal = tap.message
    else if (canWrite(file)) return { how: 'namespaces', userNamespace }
    else return notAtAll(`${resolve(file)} cannot be written.`, 'Name another file:  --file /tmp/demo.pcapng')
  }
  const tap = await tryTap()
  if (tap === true) return { how: 'one-tap', reason: `a network of our own is refused: ${refusal}` }
  return notAtAll(
    `A network of our own is refused: ${refusal}`,
    `So is a TAP in this one, which is all that --one-tap needs: ${tap.message}`,
    `Try as root:  ${asRoot()}`,
    ...inContainer(),
  )
}

/** Why `/dev/net/tun` cannot be used, if so. */
export function deviceObstacle(system: System): Hopeless | undefined {
  const { answer, reason, advice } = examineTunDevice(system)
  if (answer === 'yes') return undefined
  return notAtAll(
    `${reason}.`,
    ...(advice === undefined ? [] : [advice]),
    ...(system.uid === 0 ? [] : [`Or run the demo as root:  ${asRoot()}`]),
  )
}

function notAtAll(problem: string, ...advice: string[]): Hopeless {
  return { how: 'not-at-all', problem, advice }
}

function canWrite(file: string): boolean {
  const there = statSync(file, { throwIfNoEntry: false })
  return canAccess(there ? file : dirname(resolve(file)), constants.W_OK)
}

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

function inContainer(): string[] {
  const advice = containerAdvice(system)
  return advice === undefined ? [] : [advice]
}

function asRoot(): string {
  return process.env.npm_lifecycle_event ? 'sudo npm run demo' : 'sudo npx netloom demo'
}
