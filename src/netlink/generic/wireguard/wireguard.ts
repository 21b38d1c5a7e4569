import { NetloomError } from '../../../errors/index.js'
import { NetlinkError, type TableValues, type WaitOptions } from '../../core/index.js'
import { checkDevice, type DeviceReference, describeDevice, explainMissing } from '../device.js'
import type { GenericConnection } from '../generic-connection.js'
import type { GenericMessage } from '../generic-message.js'
import { planMessages, type WireguardChange } from './change.js'
import { deviceTable, type peerTable, WG_CMD } from './tables.js'

/** One other end of a tunnel. Keys are in base64. */
export interface WireguardPeer {
  readonly publicKey: string
  readonly presharedKey: string | undefined
  /** Where it was heard last, or is said to be: `10.0.0.1:51820`, `[fd00::1]:51820`. */
  readonly endpoint: string | undefined
  /** 0: none are sent. */
  readonly keepaliveSeconds: number
  readonly lastHandshake: Date | undefined
  readonly rxBytes: bigint
  readonly txBytes: bigint
  /** What it may send from, and is sent to: `10.0.0.0/24`. */
  readonly allowedAddresses: readonly string[]
  readonly protocolVersion: number
}

/** What a link of kind `wireguard` has beyond a link. */
export interface WireguardDevice {
  /** Index of the link. */
  readonly link: number
  readonly name: string
  readonly privateKey: string | undefined
  readonly publicKey: string | undefined
  readonly listenPort: number
  /** Of the packets that it sends; 0 is none. */
  readonly firewallMark: number
  readonly peers: readonly WireguardPeer[]
}

/** The WireGuard devices of one namespace. The links themselves are made as others: `kind: 'wireguard'`. */
export class Wireguard {
  readonly #generic: GenericConnection

  constructor(generic: GenericConnection) {
    this.#generic = generic
  }

  /**
   * All of it, however many messages that takes. Needs CAP_NET_ADMIN, since it tells the private key.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_LINK_MISMATCH` for a link of another kind, `ERR_UNSUPPORTED`
   */
  async get(link: DeviceReference, options?: WaitOptions): Promise<WireguardDevice> {
    const device = checkDevice(link)
    const family = await this.#generic.family('wireguard', options)
    try {
      const messages = await family.dump(WG_CMD.GET_DEVICE, {
        operation: 'get wireguard device',
        subject: describeDevice(link),
        signal: options?.signal,
        table: deviceTable,
        values: typeof device === 'string' ? { name: device } : { index: device },
      })
      return merge(messages)
    } catch (error) {
      throw explain(error, link)
    }
  }

  /**
   * Sets what is given; peers that are not named stay, unless `replacePeers`. Large sets take several messages: when
   * one is refused, those before it have been done. The kernel passes over a peer with the device's own key.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_LINK_MISMATCH`, `ERR_UNSUPPORTED`; NetlinkError; TypeError, RangeError
   */
  async set(link: DeviceReference, change: WireguardChange, options?: WaitOptions): Promise<void> {
    const device = checkDevice(link)
    const messages = planMessages(change)
    const family = await this.#generic.family('wireguard', options)
    for (const values of messages) {
      try {
        await family.request(WG_CMD.SET_DEVICE, {
          operation: 'set wireguard device',
          subject: describeDevice(link),
          signal: options?.signal,
          table: deviceTable,
          values: { ...(typeof device === 'string' ? { name: device } : { index: device }), ...values },
        })
      } catch (error) {
        throw explain(error, link)
      }
    }
  }
}

function explain(error: unknown, link: DeviceReference): unknown {
  if (!(error instanceof NetlinkError && error.code === 'ENOTSUP')) return explainMissing(error, link)
  return new NetloomError('ERR_LINK_MISMATCH', `${describeDevice(link)} is no link of kind wireguard`, {
    cause: error,
  })
}

/** A peer that has no room in one message goes on in the next. */
function merge(messages: readonly GenericMessage[]): WireguardDevice {
  const device: TableValues<typeof deviceTable> = {}
  const peers: TableValues<typeof peerTable>[] = []
  for (const message of messages) {
    const { peers: more = [], ...rest } = message.read(deviceTable).values
    for (const [name, value] of Object.entries(rest)) {
      if (value !== undefined) Object.assign(device, { [name]: value })
    }
    for (const peer of more) {
      const last = peers.at(-1)
      if (last === undefined || last.publicKey !== peer.publicKey) peers.push(peer)
      else last.allowedAddresses = (last.allowedAddresses ?? []).concat(peer.allowedAddresses ?? [])
    }
  }
  return {
    link: device.index ?? 0,
    name: device.name ?? '',
    privateKey: device.privateKey ?? undefined,
    publicKey: device.publicKey ?? undefined,
    listenPort: device.listenPort ?? 0,
    firewallMark: device.firewallMark ?? 0,
    peers: peers.map(peer => ({
      publicKey: peer.publicKey ?? '',
      presharedKey: peer.presharedKey ?? undefined,
      endpoint: peer.endpoint,
      keepaliveSeconds: peer.keepaliveSeconds ?? 0,
      lastHandshake: peer.lastHandshake,
      rxBytes: peer.rxBytes ?? 0n,
      txBytes: peer.txBytes ?? 0n,
      allowedAddresses: peer.allowedAddresses ?? [],
      protocolVersion: peer.protocolVersion ?? 0,
    })),
  }
}
