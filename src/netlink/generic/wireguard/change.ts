import { parseIpPrefix } from '../../../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireOptions } from '../../../errors/index.js'
import { MessageWriter, type TableValues, writeTable } from '../../core/index.js'
import { parseKey } from './keys.js'
import { deviceTable, parseEndpoint, type peerTable } from './tables.js'

export interface WireguardPeerChange {
  /** Which peer. One that is not there is added, unless `updateOnly`. */
  publicKey: string
  /** `null`: none. */
  presharedKey?: string | null | undefined
  /** `10.0.0.1:51820`, `[fd00::1]:51820`; link-local ones with the index of the link: `[fe80::1%3]:51820`. */
  endpoint?: string | undefined
  /** 0: none. */
  keepaliveSeconds?: number | undefined
  /** Added to those that it has; another peer that has one of them loses it. */
  allowedAddresses?: readonly string[] | undefined
  /** Those it has already go first. */
  replaceAllowedAddresses?: boolean | undefined
  remove?: boolean | undefined
  updateOnly?: boolean | undefined
}

export interface WireguardChange {
  /** `null`: none, which also drops all sessions. */
  privateKey?: string | null | undefined
  /** UDP; 0 lets the kernel choose. */
  listenPort?: number | undefined
  /** 0: none. */
  firewallMark?: number | undefined
  peers?: readonly WireguardPeerChange[] | undefined
  /** Those it has already go first. */
  replacePeers?: boolean | undefined
}

type DeviceValues = TableValues<typeof deviceTable>
type PeerValues = TableValues<typeof peerTable>

const changeOptions = ['privateKey', 'listenPort', 'firewallMark', 'peers', 'replacePeers'] as const
const peerOptions = [
  'publicKey',
  'presharedKey',
  'endpoint',
  'keepaliveSeconds',
  'allowedAddresses',
  'replaceAllowedAddresses',
  'remove',
  'updateOnly',
] as const

/** What a nest of peers may take: it has to have fewer than 64 KiB. */
const messageBytes = 48 * 1024
/** A peer without its allowed addresses, and one of these, at most. */
const peerBytes = 160
const addressBytes = 48

/** The messages that make up a change. Checks all of it. @throws TypeError, RangeError */
export function planMessages(change: WireguardChange): DeviceValues[] {
  const { peers = [], replacePeers, ...device } = requireOptions('change', change, changeOptions)
  if (!Array.isArray(peers)) throw invalidArgumentType('change.peers', 'an array', peers)
  checkBoolean('change.replacePeers', replacePeers)
  if (typeof device.privateKey === 'string') parseKey('change.privateKey', device.privateKey)
  const messages: DeviceValues[] = []
  const seen = new Set<string>()
  let current: PeerValues[] = []
  let used = 0
  const end = () => {
    const values: DeviceValues = { peers: current }
    if (messages.length === 0) {
      Object.assign(values, device)
      if (replacePeers) values.flags = { replacePeers }
    }
    // What cannot be written is refused while nothing is sent.
    const writer = new MessageWriter({ type: 0, flags: 0, header: { length: 0, write() {} }, name: 'change' })
    writeTable(writer, deviceTable, values, 'change')
    messages.push(values)
    current = []
    used = 0
  }
  for (const [i, peer] of peers.entries()) {
    const path = `change.peers[${i}]`
    checkPeer(path, peer)
    if (seen.has(peer.publicKey)) throw invalidArgumentValue(`${path}.publicKey`, '…', 'is there twice')
    seen.add(peer.publicKey)
    const { allowedAddresses = [], replaceAllowedAddresses, remove, updateOnly, ...values } = peer
    let rest: readonly string[] = allowedAddresses
    let head: PeerValues = { ...values, flags: { replaceAllowedAddresses, remove, updateOnly } }
    do {
      if (used > 0 && used + peerBytes + addressBytes > messageBytes) end()
      const room = Math.floor((messageBytes - used - peerBytes) / addressBytes)
      const part = rest.slice(0, room)
      rest = rest.slice(room)
      current.push(part.length > 0 ? { ...head, allowedAddresses: part } : head)
      used += peerBytes + part.length * addressBytes
      // Somebody may have removed it meanwhile.
      head = { publicKey: peer.publicKey, flags: { updateOnly: true } }
    } while (rest.length > 0)
  }
  end()
  return messages
}

function checkPeer(path: string, peer: WireguardPeerChange): void {
  if (typeof peer !== 'object' || peer === null) throw invalidArgumentType(path, 'an object', peer)
  const { publicKey, presharedKey, endpoint, allowedAddresses, remove, updateOnly, replaceAllowedAddresses } =
    requireOptions(path, peer, peerOptions)
  parseKey(`${path}.publicKey`, publicKey)
  if (typeof presharedKey === 'string') parseKey(`${path}.presharedKey`, presharedKey)
  if (endpoint !== undefined) parseEndpoint(`${path}.endpoint`, endpoint)
  for (const [name, value] of Object.entries({ remove, updateOnly, replaceAllowedAddresses })) {
    checkBoolean(`${path}.${name}`, value)
  }
  if (allowedAddresses === undefined) return
  if (!Array.isArray(allowedAddresses)) {
    throw invalidArgumentType(`${path}.allowedAddresses`, 'an array', allowedAddresses)
  }
  for (const address of allowedAddresses) parseIpPrefix(address, `${path}.allowedAddresses`)
}

function checkBoolean(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
}
