import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import { Network } from '../../../src/network/index.js'
import { captured } from '../../support/captured.js'
import { watchLeaks } from '../../support/leaks.js'
import { markedFrame } from '../../support/marked-frames.js'
import { asOrdinaryUser } from '../../support/ordinary-user.js'

if (asOrdinaryUser(t, import.meta.url)) {
  const leaks = watchLeaks()

  t.test('without rights, the error names the right', async t => {
    await t.rejects(Capture.open({ interface: 'lo' }), {
      code: 'EPERM',
      syscall: 'socket',
      request: 'AF_PACKET',
      subject: 'lo',
      message: /CAP_NET_RAW/,
    })
    await t.rejects(Capture.openAny(), { code: 'EPERM', message: /CAP_NET_RAW/ })
  })

  t.test('in a network of a user namespace, of one’s own', async t => {
    await using network = await Network.create({ userNamespace: true })
    await network.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } })
    await network.links.change('v1', { up: true })
    for (const latency of ['batched', 'low'] as const) {
      const options = { in: network, latency, blockCount: 2, filter: 'ether proto 0x88b5' }
      await using sender = await Capture.open({ ...options, interface: 'v1', linkType: 'ethernet' })
      await using capture = await Capture.open({ ...options, interface: 'v0' })
      await using any = await Capture.openAny(options)
      await sender.send(markedFrame(1))
      t.same((await captured(capture, 1))[0]!.data, markedFrame(1))
      t.equal((await captured(any, 1))[0]!.data.length, 66)
    }
  })

  t.test('nothing is left', leaks)
}
