import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Network } from '../../network/index.js'
import { impair } from '../../port/index.js'
import { Tap } from '../../tuntap/index.js'
import type { BulkTask } from './bulk-worker.js'
import { cable } from './cable.js'
import { checkCapture } from './check-capture.js'
import { leftovers } from './leftovers.js'
import type { Screen } from './screen.js'
import { Trace } from './trace.js'
import { watchKeys } from './watch.js'

export interface DemoOptions {
  userNamespace: boolean
  /** Where the capture goes. */
  file: string
  /** Keep the network up, with keys to disturb it. */
  watch: boolean
}

/** Two kernels' stacks, one cable of TypeScript between them. Throws when a step does not go as it should. */
export async function demo(screen: Screen, { userNamespace, file, watch }: DemoOptions): Promise<void> {
  const before = await leftovers()

  screen.step('Two namespaces, a TAP in each, and a cable')
  {
    await using red = await Network.create({ userNamespace })
    await using blue = await Network.create({ userNamespace: userNamespace && red })
    await using left = await Tap.create({ in: red, name: 'tap0', addresses: ['10.77.0.1/24', 'fd77::1/64'] })
    await using right = await Tap.create({
      in: blue,
      name: 'tap0',
      addresses: ['10.77.0.2/24', 'fd77::2/64'],
    })
    screen.cable()

    const trace = new Trace(screen, file)
    const plug = impair(right) // a cable that can be pulled
    const cables = Promise.all([
      cable(left, plug, batch => trace.look('red', batch)),
      cable(plug, left, batch => trace.look('blue', batch)),
    ])

    screen.step('An ordinary HTTP server in red, an ordinary client in blue')
    const page = 'Hello from the other side of a cable made of TypeScript.\n'
    const data = randomBytes(24 * 1024 * 1024)
    const server = http.createServer((request, response) => {
      response.setHeader('connection', 'close').end(request.url === '/data' ? data : page)
    })
    await red.namespace.listen(server, { host: '::', port: 80 })
    const get = (url: string) => fetchThrough(blue, url)
    for (const url of ['http://10.77.0.1/', 'http://[fd77::1]/']) {
      const body = await collect(await get(url))
      if (body.toString() !== page) throw new Error(`${url} gave another page`)
      screen.good(`${url} says: ${page.trim()}`)
    }

    screen.step('Pull the cable in the middle of a download, and plug it back')
    trace.attention = 'retransmissions'
    const hash = createHash('sha256')
    let received = 0
    let pulled: Promise<void> | undefined
    for await (const chunk of await get('http://10.77.0.1/data')) {
      hash.update(chunk)
      received += chunk.length
      if (received > data.length / 2) pulled ??= pull(screen, trace, plug)
    }
    await pulled
    const sha256 = createHash('sha256').update(data).digest('hex')
    if (hash.digest('hex') !== sha256) throw new Error('the download differs from what was sent')
    if (trace.retransmissions === 0) throw new Error('pulling the cable disturbed nobody')
    screen.good(
      `all ${received} bytes came, ${trace.retransmissions} segments were sent again, SHA-256 ${sha256.slice(0, 16)}…`,
    )

    screen.step('Bulk TCP for three seconds: this cable beside a veth pair of the kernel’s')
    trace.attention = 'none'
    const veth = { kind: 'veth', name: 'veth0', up: true } as const
    await red.links.create({ ...veth, addresses: ['10.78.0.1/24'], peer: { name: 'veth0', in: blue } })
    await blue.addresses.create({ link: 'veth0', address: '10.78.0.2/24' })
    await blue.links.change('veth0', { up: true })
    const ours = await bulk({
      server: red.namespace.fd,
      client: blue.namespace.fd,
      address: '10.77.0.1',
      seconds: 3,
    })
    const kernel = await bulk({
      server: red.namespace.fd,
      client: blue.namespace.fd,
      address: '10.78.0.1',
      seconds: 3,
    })
    screen.good(
      `through JavaScript ${ours.toFixed(2)} Gb/s, through veth ${kernel.toFixed(2)} Gb/s: ${(ours / kernel).toFixed(2)} of it`,
    )

    if (watch) await watchKeys(screen, trace, plug, () => get('http://10.77.0.1/'))

    server.close()
    await Promise.all([left.close(), right.close(), cables])
    await trace.close()

    screen.step('What was seen on the cable')
    await checkCapture(screen, file)
  }

  screen.step('What is left behind')
  const after = await leftovers()
  if (after.join() !== before.join())
    throw new Error(`left behind: ${after.filter(x => !before.includes(x)).join(', ')}`)
  screen.good('nothing: no descriptor, no device, no namespace more than before')
}

/** For almost a second, everything on the cable is lost. */
async function pull(screen: Screen, trace: Trace, plug: { unplugged: boolean }): Promise<void> {
  screen.line(screen.style('yellow', '   ✂ the cable is pulled'))
  trace.unplugged = plug.unplugged = true
  await delay(900)
  trace.unplugged = plug.unplugged = false
  screen.line(screen.style('yellow', '   ⚯ the cable is plugged in again'))
}

function fetchThrough(from: Network, url: string): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    http.get(url, { createConnection: from.namespace.connector() }, resolve).on('error', reject)
  })
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Gigabits per second between the two namespaces, measured by a thread of its own. */
function bulk(task: BulkTask): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./bulk-worker.js', import.meta.url), { workerData: task })
    worker.once('message', resolve).once('error', reject)
  })
}
