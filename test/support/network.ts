import type { Test } from 'tap'
import { Network } from '../../src/network/index.js'
import { requiresRoot } from './requires.js'

/** True for root, and for an ordinary user who was told to use user namespaces ({@link userNamespaces}). */
export function requiresNetworks(t: Test): boolean {
  return userNamespaces || requiresRoot(t)
}

/** Networks are made in user namespaces: somebody runs the file as an ordinary user. */
export const userNamespaces = process.env.NETLOOM_USER_NAMESPACES === '1'

/** A network of the test's own; links can be moved between it and the one `beside` it. */
export function createNetwork(beside?: Network): Promise<Network> {
  return Network.create({ userNamespace: userNamespaces && (beside ?? true) })
}
