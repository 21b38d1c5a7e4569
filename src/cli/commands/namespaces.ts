import { readdir, readFile, readlink } from 'node:fs/promises'
import { Namespace, type NamespaceReference } from '../../netns/index.js'
import type { Network } from '../../network/index.js'
import { listing } from '../listing.js'
import { word } from '../text-table.js'

/** A network namespace that has a name, or that a process is in. */
interface NamespaceEntry {
  /** Device and inode number, the same for all who see it; `undefined` where it cannot be opened. */
  readonly id: string | undefined
  /** In /run/netns; it may have several. */
  readonly names: readonly string[]
  /** By which the network that was asked names it in its links. */
  readonly namespaceId: number | undefined
  /** This is the network that was asked. */
  readonly current: boolean
  /** Those processes that we may look into. */
  readonly processes: readonly { readonly pid: number; readonly command: string }[]
}

export const namespaces = listing({
  name: 'namespaces',
  summary: 'network namespaces: names, processes, and ids between namespaces',
  options: { named: { help: 'only those that have a name' } },
  async list(network, { named }) {
    const all = await findNamespaces(network)
    return all.filter(({ names }) => !named || names.length > 0)
  },
  row({ id, names, namespaceId, current, processes }) {
    const [first] = processes
    const several = processes.length > 1
    return [
      { text: names.join(',') || '-', style: 'cyan' },
      id === undefined ? 'not usable' : (id.split(':')[1] ?? id),
      word('id', namespaceId).join(' '),
      current ? { text: 'current', style: 'green' } : '',
      first
        ? `${processes.length} ${several ? 'processes' : 'process'}: ${first.pid} ${first.command}${several ? ' …' : ''}`
        : '',
    ]
  },
})

type Found = { -readonly [K in keyof NamespaceEntry]: NamespaceEntry[K] } & {
  names: string[]
  processes: { pid: number; command: string }[]
}

async function findNamespaces(network: Network): Promise<NamespaceEntry[]> {
  const found = new Map<string, Found>()
  const entries: Found[] = []
  async function add(id: string | undefined, reference: NamespaceReference): Promise<Found> {
    const known = id === undefined ? undefined : found.get(id)
    if (known) return known
    const entry: Found = {
      id,
      names: [],
      namespaceId: id === undefined ? undefined : await idOf(network, reference),
      current: id === network.namespace.id,
      processes: [],
    }
    entries.push(entry)
    if (id !== undefined) found.set(id, entry)
    return entry
  }
  for (const name of await Namespace.list()) {
    const entry = await add(await identify({ name }), name)
    entry.names.push(name)
  }
  await add(network.namespace.id, network)
  for (const pid of await processIds()) {
    const inode = await readlink(`/proc/${pid}/ns/net`).catch(() => '')
    // Not ours to look into, or ended meanwhile.
    if (inode === '') continue
    const number = /\d+/.exec(inode)?.[0]
    const known = entries.find(({ id }) => id?.split(':')[1] === number)
    const entry = known ?? (await addProcess(pid))
    const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    entry?.processes.push({ pid, command: command.trimEnd() })
  }
  return entries

  async function addProcess(pid: number): Promise<Found | undefined> {
    const id = await identify({ pid })
    return id === undefined ? undefined : add(id, pid)
  }
}

/** `undefined` for what is gone, or not ours to open. */
async function identify(which: { name: string } | { pid: number }): Promise<string | undefined> {
  try {
    await using namespace = await Namespace.open(which)
    return namespace.id
  } catch {
    return undefined
  }
}

async function idOf(network: Network, reference: NamespaceReference): Promise<number | undefined> {
  try {
    return await network.namespaceIds.get(reference)
  } catch {
    return undefined
  }
}

async function processIds(): Promise<number[]> {
  const names = await readdir('/proc')
  return names
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}
