import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Network } from '../../network/index.js'
import { Tap } from '../../tuntap/index.js'

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

const device = '/dev/net/tun'

/** Looks, and tries, without leaving anything behind. */
export async function preflight({ file, oneTap }: { file: string; oneTap: boolean }): Promise<Verdict> {
  if (process.platform !== 'linux') {
    return notAtAll(`Netloom opens devices on Linux only; this is ${process.platform}.`)
  }
  const obstacle = deviceObstacle()
  if (obstacle) return obstacle
  if (oneTap) return { how: 'one-tap', reason: 'as you asked' }
  let refusal = ''
  for (const userNamespace of [false, true]) {
    try {
      await using network = await Network.create({ userNamespace })
      await using _tap = await Tap.create({ in: network })
      if (canWrite(file)) return { how: 'namespaces', userNamespace }
      return notAtAll(`${resolve(file)} cannot be written.`, 'Name another file:  --file /tmp/demo.pcapng')
    } catch (error) {
      refusal = error instanceof Error ? error.message : String(error)
    }
  }
  if (process.getuid?.() === 0)
    return { how: 'one-tap', reason: `a network of our own is refused: ${refusal}` }
  return notAtAll(
    `A network of our own is refused: ${refusal}`,
    `Try as root:  ${asRoot()}`,
    ...inContainer(),
  )
}

function deviceObstacle(): Hopeless | undefined {
  const stat = statSync(device, { throwIfNoEntry: false })
  if (!stat) {
    return notAtAll(`${device} is not there.`, 'Load the driver:  sudo modprobe tun', ...inContainer())
  }
  if (canAccess(device, constants.R_OK | constants.W_OK)) return undefined
  const mode = (stat.mode & 0o777).toString(8).padStart(4, '0')
  return notAtAll(
    `${device} has mode ${mode}, and you are user ${process.getuid?.()}.`,
    `Let everybody open it:  sudo chmod 0666 ${device}`,
    `Or run the demo as root:  ${asRoot()}`,
    ...inContainer(),
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
  const inside = ['/.dockerenv', '/run/.containerenv'].some(path => statSync(path, { throwIfNoEntry: false }))
  if (!inside) return []
  return [
    'This is a container. Start it with:  docker run --device /dev/net/tun --cap-add NET_ADMIN --cap-add SYS_ADMIN …',
  ]
}

function asRoot(): string {
  return process.env.npm_lifecycle_event ? 'sudo npm run demo' : 'sudo npx netloom demo'
}
