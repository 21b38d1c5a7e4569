import t from 'tap'
import { Payload } from '../../../src/netlink/core/index.js'
import {
  field,
  type Link,
  type LinkCreate,
  linkIndex,
  linkKind,
  MessageWriter,
  registerLinkKind,
  registerPortKind,
  table,
  text,
  u16,
  u32,
} from '../../../src/netlink/index.js'
import { resolveLinks } from '../../../src/netlink/route/kinds/index.js'
import { readLink } from '../../../src/netlink/route/link.js'
import { firstDifference } from '../../../src/netlink/route/link-difference.js'
import {
  createLinkRequest,
  createOptions,
  type ResolvedLink,
} from '../../../src/netlink/route/link-request.js'
import { sameObject } from '../../../src/netlink/route/watched-object.js'

/** B.A.T.M.A.N. advanced, as a program would describe it: include/uapi/linux/batman_adv.h, IFLA_BATADV_*. */
const batadv = linkKind('batadv', table('IFLA_BATADV_', { algorithm: field(1, 'ALGO_NAME', text) }))

/** A port of an invented master. */
const ring = linkKind(
  'ring',
  table('IFLA_RING_', { position: field(1, 'POSITION', u32), next: field(2, 'NEXT', linkIndex) }),
)

declare global {
  interface NetloomLinkKinds {
    batadv: typeof batadv
  }
  interface NetloomPortKinds {
    ringPort: typeof ring
  }
}

function read(link: ResolvedLink): Link {
  return readLink(new Payload(createLinkRequest(link).message.subarray(16)))
}

t.test('a kind that a program registers', async t => {
  const bytes = createLinkRequest({ kind: 'batadv', name: 'bat0' }).message
  t.ok(bytes.length > 0, 'a kind that is not known can be made, without settings')
  t.equal(read({ kind: 'batadv' }).batadv, undefined)
  t.notOk(createOptions().includes('batadv'))
  t.equal(registerLinkKind(batadv), batadv)
  t.equal(registerLinkKind(batadv), batadv, 'once is enough')
  t.ok(createOptions().includes('batadv'))
  const options: LinkCreate = { kind: 'batadv', name: 'bat0', batadv: { algorithm: 'BATMAN_V' } }
  const link = read(options as ResolvedLink)
  t.equal(link.kind, 'batadv')
  t.equal(link.batadv?.algorithm, 'BATMAN_V')
  t.equal(link.raw.settings, undefined)
  t.throws(() => createLinkRequest({ kind: 'dummy', batadv: {} }), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /does not belong to a link of kind dummy/,
  })
  // @ts-expect-error: not one of its settings
  t.throws(() => createLinkRequest({ kind: 'batadv', batadv: { speed: 1 } }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
})

t.test('a kind of port that a program registers', async t => {
  const message = new MessageWriter({ type: 16, flags: 0, header: { length: 16, write() {} }, name: 'link' })
    .nested(18, '', info => {
      info.string(4, '', 'ring')
      info.nested(5, '', data => data.u32(1, '', 7).u32(2, '', 3))
    })
    .finish()
  const port = () => readLink(new Payload(message.message.subarray(16)))
  t.match(port(), { portKind: 'ring', raw: { portSettings: Uint8Array } }, 'raw before')
  registerPortKind(ring)
  t.same(port().ringPort, { position: 7, next: 3 })
  t.equal(port().raw.portSettings, undefined)
})

t.test('kinds that cannot be registered', async t => {
  const other = table('IFLA_BR_', { priority: field(6, 'PRIORITY', u16) })
  for (const name of ['bridge', 'name', 'constructor', '', 'a b', '__proto__', 'mtu', 'statistics', 'Ring']) {
    t.throws(() => registerLinkKind(linkKind(name, other)), { code: 'ERR_INVALID_ARG_VALUE' }, name)
  }
  t.throws(() => registerPortKind(linkKind('bridge', other)), { code: 'ERR_INVALID_ARG_VALUE' })
  // @ts-expect-error: no kind
  t.throws(() => registerLinkKind({}), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('settings that are links become indices', async t => {
  const resolve = async (reference: unknown) => (typeof reference === 'object' ? 9 : 5)
  t.same(await resolveLinks(ring.settings, { position: 1, next: 'eth0' }, resolve), { position: 1, next: 5 })
  t.same(await resolveLinks(ring.settings, { next: { index: 9 } }, resolve), { next: 9 })
  t.same(await resolveLinks(ring.settings, { next: null }, resolve), { next: 0 })
  t.same(await resolveLinks(ring.settings, { next: 0, unknown: 'x' }, resolve), { next: 0, unknown: 'x' })
  t.same(await resolveLinks(ring.settings, { next: undefined }, resolve), { next: undefined })
})

t.test('links are compared by what values mean', async t => {
  const link = {
    ...read({
      kind: 'vxlan',
      macAddress: '02:00:00:00:00:0a',
      vxlan: { id: 7, remote: 'fd00::1', portRange: { low: 1, high: 2 } },
    }),
    altNames: ['a', 'b'],
  }
  const same: ResolvedLink[] = [
    { macAddress: '02-00-00-00-00-0A' },
    { vxlan: { remote: 'FD00:0:0::1', local: '::', multicastRoute: true, proxy: false, link: 0 } },
    { vxlan: { portRange: { low: 1, high: 2 } }, alias: '' },
    { altNames: ['b'] },
  ]
  for (const wanted of same) t.equal(firstDifference(link, wanted), undefined)
  t.equal(firstDifference(link, { vxlan: { id: 8 } }), 'vxlan.id is 7, not 8')
  t.equal(firstDifference(link, { vxlan: { remote: 'fd00::2' } }), 'vxlan.remote is fd00::1, not fd00::2')
  t.equal(firstDifference(link, { vxlan: { local: '10.0.0.1' } }), 'vxlan.local is undefined, not 10.0.0.1')
  t.equal(
    firstDifference(link, { vxlan: { portRange: { low: 1, high: 3 } } }),
    'vxlan.portRange is {"low":1,"high":2}, not {"low":1,"high":3}',
  )
  t.equal(firstDifference(link, { altNames: ['c'] }), 'altNames is ["a","b"], not ["c"]')
  t.equal(firstDifference(link, { kind: 'vlan' }), 'kind is vxlan, not vlan')
  const bond = read({ kind: 'bond', bond: { arpTargets: ['10.0.0.1', '10.0.0.2'] } })
  t.equal(firstDifference(bond, { bond: { arpTargets: ['10.0.0.2', '10.0.0.1'] } }), undefined)
  t.ok(firstDifference(bond, { bond: { arpTargets: ['10.0.0.1'] } }))
  const macsec = read({ kind: 'macsec', macsec: { sci: 5n } })
  t.equal(firstDifference(macsec, { macsec: { sci: 6n } }), 'macsec.sci is 5, not 6')
})

t.test('a watch tells of settings, not of what runs', async t => {
  const macsec = (sci: bigint) => read({ kind: 'macsec', macsec: { sci } })
  t.ok(sameObject(macsec(5n), macsec(5n)))
  t.notOk(sameObject(macsec(5n), macsec(6n)))
  const bridge = (learnedAddresses: number, timerMs: number, stpState: number): Link => ({
    ...read({ kind: 'bridge' }),
    bridge: { learnedAddresses, gcTimerMs: timerMs, multicastQuerierState: { timerMs }, stpState },
  })
  t.ok(sameObject(bridge(1, 2, 0), bridge(3, 4, 0)))
  t.notOk(sameObject(bridge(1, 2, 0), bridge(1, 2, 1)))
})
