import { readdir, readlink } from 'node:fs/promises'
import { Namespace } from '../../netns/index.js'
import { Network } from '../../network/index.js'
import type { Screen } from './screen.js'

/** What a program of this kind could forget. */
interface Things {
  /** Network devices of this network. */
  devices: string[]
  /** Namespaces with a name. */
  names: string[]
  /** Descriptors of devices and namespaces. */
  descriptors: string[]
}

export async function countThings(): Promise<Things> {
  const descriptors: string[] = []
  for (const fd of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => '')
    if (target === '/dev/net/tun' || target.startsWith('net:[')) descriptors.push(target)
  }
  const network = await Network.open()
  try {
    const devices = (await network.links.list()).map(link => link.name)
    return { devices, names: await Namespace.list(), descriptors }
  } finally {
    await network.close()
  }
}

/** Says what is there now. Throws when it is more than before. */
export async function checkNothingIsLeft(screen: Screen, before: Things, meanwhile: Things): Promise<void> {
  screen.step('What is left behind')
  const after = await countThings()
  for (const kind of ['devices', 'names', 'descriptors'] as const) {
    const left = after[kind].filter(thing => !before[kind].includes(thing))
    if (left.length > 0 || after[kind].length > before[kind].length) {
      throw new Error(
        `left behind: ${left.length > 0 ? left.join(', ') : `${kind}: ${after[kind].length} of them`}`,
      )
    }
  }
  const row = (what: string, kind: keyof Things) =>
    `${what} ${before[kind].length}, ${meanwhile[kind].length}, ${after[kind].length}`
  screen.good('nothing: no descriptor, no device, no namespace more than before')
  screen.line('   Before, meanwhile and now, there were here:')
  screen.line(`   ${row('devices', 'devices')}; ${row('namespaces with a name', 'names')};`)
  screen.line(`   ${row('descriptors of devices and namespaces', 'descriptors')}`)
}
