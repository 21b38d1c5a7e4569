import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import type { FramePort } from '../../../src/port/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { portConformance } from '../../support/port-conformance.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()
  const cable = await connectedNetworks()
  const ring = { blockSize: 524288, blockCount: 16, linkType: 'ethernet' } as const

  const pair = async (options: object = {}): Promise<[FramePort<'ethernet'>, FramePort<'ethernet'>]> => [
    await Capture.open({ in: cable.red, interface: 'v0', ...ring, ...options }),
    await Capture.open({ in: cable.blue, interface: 'v0', ...ring, ...options }),
  ]

  portConformance(t, 'batched', () => pair())
  portConformance(t, 'low latency', () => pair({ latency: 'low' }))
  portConformance(t, 'super-frames whole', () => pair({ offload: 'whole', qdiscBypass: true }))
  portConformance(t, 'super-frames cut', () => pair({ offload: 'split' }))

  t.test('closed', async t => {
    await cable[Symbol.asyncDispose]()
    await leaks(t)
  })
}
