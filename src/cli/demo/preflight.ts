import { accessSync, constants, statSync } from 'node:fs'
import { Namespace } from '../../netns/index.js'

/** What this machine lets us do. */
export type Verdict =
  /** Two namespaces; in a user namespace of our own unless we are root. */
  | { how: 'namespaces'; userNamespace: boolean }
  /** No namespaces, but a TAP where we are. */
  | { how: 'one-tap'; reason: string }
  | { how: 'not-at-all'; problems: string[] }

/** Looks, without leaving anything behind. */
export async function preflight(): Promise<Verdict> {
  if (process.platform !== 'linux') {
    return {
      how: 'not-at-all',
      problems: [`Netloom opens devices on Linux only; this is ${process.platform}.`],
    }
  }
  const problems = deviceProblems()
  if (problems.length > 0) return { how: 'not-at-all', problems }
  const refusals: string[] = []
  for (const userNamespace of [false, true]) {
    try {
      await using namespace = await Namespace.create({ userNamespace })
      if (namespace.fd >= 0) return { how: 'namespaces', userNamespace }
    } catch (error) {
      refusals.push(error instanceof Error ? error.message : String(error))
    }
  }
  const reason = `network namespaces are refused here: ${refusals.at(-1)}`
  if (process.getuid?.() === 0) return { how: 'one-tap', reason }
  return { how: 'not-at-all', problems: [reason, `Try as root:  ${asRoot()}`, ...insideContainer()] }
}

function deviceProblems(): string[] {
  const path = '/dev/net/tun'
  try {
    statSync(path)
  } catch {
    return [`${path} is not there. Load the driver:  sudo modprobe tun`, ...insideContainer()]
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return []
  } catch {
    const mode = (statSync(path).mode & 0o777).toString(8).padStart(4, '0')
    return [
      `${path} has mode ${mode}, and you are user ${process.getuid?.()}. Let everybody open it:  sudo chmod 0666 ${path}`,
      `Or run the demo as root:  ${asRoot()}`,
      ...insideContainer(),
    ]
  }
}

function insideContainer(): string[] {
  const inside = ['/.dockerenv', '/run/.containerenv'].some(path => statSync(path, { throwIfNoEntry: false }))
  if (!inside) return []
  return [
    'This is a container. Start it with:  docker run --device /dev/net/tun --cap-add NET_ADMIN --cap-add SYS_ADMIN …',
  ]
}

function asRoot(): string {
  return process.env.npm_lifecycle_event ? 'sudo npm run demo' : 'sudo npx netloom demo'
}
