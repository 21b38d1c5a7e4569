import { readdir, readlink } from 'node:fs/promises'
import { Namespace } from '../../netns/index.js'

/** What a program of this kind could forget: network devices, named namespaces, descriptors of either. */
export async function leftovers(): Promise<string[]> {
  const found = [
    ...(await readdir('/sys/class/net')),
    ...(await Namespace.list()).map(name => `netns ${name}`),
  ]
  for (const fd of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => '')
    if (target === '/dev/net/tun' || target.startsWith('net:[')) found.push(target)
  }
  return found.sort()
}
