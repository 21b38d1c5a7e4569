import t from 'tap'
import { Line } from '../../../src/cli/demo/line.js'
import { deviceObstacle } from '../../../src/cli/demo/preflight.js'
import type { System } from '../../../src/cli/doctor/finding.js'
import { portPair } from '../../../src/port/index.js'

t.test('a line tells which frames it will lose', async t => {
  const [near, far] = portPair('ethernet', { queueFrames: 1000 })
  const line = new Line(near)
  const expected: number[] = []
  const send = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const frame = new Uint8Array(60)
      new DataView(frame.buffer).setUint16(58, i)
      if (!line.willLose()) expected.push(i)
      await line.port.send(frame)
    }
  }
  const arrived: number[] = []
  const batches = far.batches()
  // What is on its way when the line is unplugged is lost, though it was not when it was sent.
  const settle = async () => {
    while (arrived.length < expected.length) {
      const { value } = await batches.next()
      for (const frame of value!) arrived.push((frame[58]! << 8) | frame[59]!)
    }
  }
  await send(0, 10)
  t.equal(expected.length, 10)
  line.change({ loss: 0.5 })
  await send(10, 210)
  await settle()
  line.change({ unplugged: true })
  await send(210, 220)
  line.change({ unplugged: false })
  await send(220, 420)
  await settle()
  line.change({ loss: 0 })
  await send(420, 430)
  await settle()
  await line.port.close()
  t.same(arrived, expected)
  t.ok(arrived.length < 420 && arrived.length > 20)
})

t.test('in a container that was given the device, nobody advises to give it', async t => {
  const system = (uid: number, mode: number | undefined): System => ({
    uid,
    read: () => ({ code: 'ENOENT' }),
    mode: path => (path === '/.dockerenv' ? 0o644 : mode),
    open: () => (mode === undefined ? 'ENOENT' : 'EACCES'),
  })
  const given = deviceObstacle(system(1000, 0o20600))
  t.match(given, { problem: '/dev/net/tun has mode 0600, and you are user 1000.' })
  t.same(
    given?.advice.filter(line => line.includes('--device')),
    [],
  )
  t.match(given?.advice, [/chmod 0666/, /^Or run the demo as root: /])
  t.match(deviceObstacle(system(0, undefined))?.advice, [/docker run --device/])
})
