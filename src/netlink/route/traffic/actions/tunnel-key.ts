import {
  addressField,
  bytes,
  field,
  readTable,
  table,
  u8,
  u16be,
  u32be,
  writeTable,
} from '../../../core/index.js'
import {
  type ActionKind,
  actionStruct,
  readOperation,
  type Verdict,
  verdictOf,
  wordOption,
} from './action.js'

/** What tunnels that collect metadata (`vxlan`, `geneve`) send a packet with, or that it came with. */
export interface TunnelKeyAction {
  kind: 'tunnel_key'
  operation: 'set' | 'unset'
  source?: string | undefined
  destination?: string | undefined
  /** The network (VNI), or the tunnel's key. */
  id?: number | undefined
  destinationPort?: number | undefined
  /** Sends without UDP checksum: 1. */
  noChecksum?: number | undefined
  tos?: number | undefined
  ttl?: number | undefined
  /** Default `pipe`. */
  verdict?: Verdict | undefined
}

/** include/uapi/linux/tc_act/tc_tunnel_key.h: TCA_TUNNEL_KEY_ACT_* */
export const tunnelKeyOperations = { set: 1, unset: 2 } as const

const values = table('TCA_TUNNEL_KEY_', {
  source: addressField(3, 'ENC_IPV4_SRC', 5, 'ENC_IPV6_SRC'),
  destination: addressField(4, 'ENC_IPV4_DST', 6, 'ENC_IPV6_DST'),
  id: field(7, 'ENC_KEY_ID', u32be),
  destinationPort: field(9, 'ENC_DST_PORT', u16be),
  noChecksum: field(10, 'NO_CSUM', u8),
  tos: field(12, 'ENC_TOS', u8),
  ttl: field(13, 'ENC_TTL', u8),
})
const attributes = table('TCA_TUNNEL_KEY_', { parameters: field(2, 'PARMS', bytes), ...values.fields })

export const tunnelKey: ActionKind = {
  name: 'tunnel_key',
  table: attributes,
  options: ['operation', ...Object.keys(values.fields), 'verdict'],
  write: (writer, path, { operation, verdict, ...rest }) => {
    const number = wordOption(`${path}.operation`, operation, tunnelKeyOperations)
    const struct = actionStruct(verdictOf(path, verdict, 'pipe'), number)
    writer.bytes(attributes.fields.parameters.type, 'operation', struct)
    writeTable(writer, values, rest, path)
  },
  read: cursor => {
    const { parameters, ...rest } = readTable(attributes, cursor).values
    return { ...readOperation(parameters, tunnelKeyOperations), ...rest }
  },
}
