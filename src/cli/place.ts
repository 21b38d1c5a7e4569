import { Namespace } from '../netns/index.js'
import { Network } from '../network/index.js'

/** The network that `--in` names: a name, a number for a process, or a path. Default: where we are. */
export async function openNetwork(place: string | undefined): Promise<Network> {
  if (place === undefined) return Network.open()
  if (/^\d+$/.test(place)) return Network.open(Number(place))
  if (!place.includes('/')) return Network.open(place)
  await using namespace = await Namespace.open({ path: place })
  return await Network.open(namespace)
}
