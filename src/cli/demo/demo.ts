import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { Network } from '../../network/index.js'
import { Tap } from '../../tuntap/index.js'
import { compareBulk } from './bulk.js'
import { cable } from './cable.js'
import { checkCapture } from './check-capture.js'
import { checkNothingIsLeft, countThings } from './leftovers.js'
import { Line } from './line.js'
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

const page = 'Hello from the other side of a cable made of TypeScript.\n'
const data = randomBytes(24 * 1024 * 1024)

/** Two kernels' stacks, one cable of TypeScript between them. Throws when a step does not go as it should. */
export async function demo(screen: Screen, { userNamespace, file, watch }: DemoOptions): Promise<void> {
  const before = await countThings()
  let meanwhile = before
  {
    const trace = new Trace(screen, file)

    screen.step('Two namespaces, a TAP in each, and a cable')
    await using red = await Network.create({ userNamespace })
    await using blue = await Network.create({ userNamespace: userNamespace && red })
    await using left = await Tap.create({ in: red, addresses: ['10.77.0.1/24', 'fd77::1/64'] })
    await using right = await Tap.create({ in: blue, addresses: ['10.77.0.2/24', 'fd77::2/64'] })
    const line = new Line(right) // a cable that can be pulled
    const cables = Promise.all([
      cable(left, line.port, batch => trace.look('red', batch, line.willLose)),
      cable(line.port, left, batch => trace.look('blue', batch)),
    ])
    screen.cable()
    meanwhile = await countThings()

    screen.step('An ordinary HTTP server in red, an ordinary client in blue')
    const server = http.createServer((request, response) => {
      response.setHeader('connection', 'close').end(request.url === '/data' ? data : page)
    })
    await red.namespace.listen(server, { host: '::', port: 80 })
    for (const url of ['http://10.77.0.1/', 'http://[fd77::1]/']) {
      const body = await text(await get(blue, url))
      if (body !== page) throw new Error(`${url} gave another page`)
      screen.good(`${url} says: ${page.trim()}`)
    }

    screen.step('Pull the cable in the middle of a download, and plug it back')
    trace.attention = 'retransmissions'
    const hash = createHash('sha256')
    let received = 0
    let pulled: Promise<void> | undefined
    for await (const chunk of await get(blue, 'http://10.77.0.1/data')) {
      hash.update(chunk)
      received += chunk.length
      if (received > data.length / 2) pulled ??= pull(screen, line)
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
    await compareBulk(screen, red, blue)

    if (watch) await watchKeys(screen, trace, line, signal => get(blue, 'http://10.77.0.1/', signal))

    server.close()
    await Promise.all([left.close(), right.close(), cables])
    await trace.close()

    screen.step('What was seen on the cable')
    await checkCapture(screen, file)
  }

  await checkNothingIsLeft(screen, before, meanwhile)
}

/** For almost a second, everything on the cable is lost. */
async function pull(screen: Screen, line: Line): Promise<void> {
  screen.line(screen.style('yellow', '   ✂ the cable is pulled'))
  line.change({ unplugged: true })
  await delay(900)
  line.change({ unplugged: false })
  screen.line(screen.style('yellow', '   ⚯ the cable is plugged in again'))
}

function get(
  from: Network,
  url: string,
  signal = AbortSignal.timeout(30_000),
): Promise<http.IncomingMessage> {
  const options = { createConnection: from.namespace.connector(), signal }
  return new Promise((resolve, reject) => http.get(url, options, resolve).on('error', reject))
}
