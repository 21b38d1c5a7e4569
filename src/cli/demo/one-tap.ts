import { execFile } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { frames } from '../../port/index.js'
import { Tap } from '../../tuntap/index.js'
import { brief } from './brief.js'
import { answer, type Host } from './host.js'
import { checkNothingIsLeft, countThings } from './leftovers.js'
import type { Screen } from './screen.js'

const host: Host = { macAddress: '02:00:00:77:00:02', ipv4: '10.77.0.2', ipv6: 'fd77::2' }

/**
 * Where there are no namespaces to be had: one TAP of this machine's own kernel, and at its other end a host that
 * is written in TypeScript. It answers ARP, neighbor discovery, ping and UDP echo; the kernel asks for real.
 */
export async function oneTap(screen: Screen): Promise<void> {
  const before = await countThings()
  screen.step('One TAP, and a host made of TypeScript at its other end')
  await using tap = await Tap.create({ name: 'tap%d', addresses: ['10.77.0.1/24', 'fd77::1/64'] })
  screen.line(
    `   kernel 10.77.0.1 fd77::1  ══ ${tap.name} ══  ${host.ipv4} ${host.ipv6}  answer() in src/cli/demo/host.ts`,
  )
  const meanwhile = await countThings()
  const show = (from: string, frame: Uint8Array) =>
    screen.line(`   ${from} ${brief(frame, screen.columns - 10)}`)
  const living = (async () => {
    for await (const frame of frames(tap)) {
      show(screen.style('blue', 'kernel'), frame)
      const reply = answer(host, frame)
      if (!reply) continue
      show(screen.style('red', 'host  '), reply)
      await tap.send(reply)
    }
  })()
  screen.step('The kernel asks it over UDP, with IPv4 and IPv6')
  for (const [type, address] of [
    ['udp4', host.ipv4],
    ['udp6', host.ipv6],
  ] as const) {
    const socket = dgram.createSocket(type)
    try {
      socket.send('hello', 7, address)
      const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(5000) })) as [Buffer]
      if (reply.toString() !== 'hello') throw new Error(`${address} echoed something else`)
      screen.good(`${address} port 7 echoed: ${reply}`)
    } finally {
      socket.close()
    }
  }
  screen.step('The kernel pings it')
  for (const address of [host.ipv4, host.ipv6]) await ping(screen, address)
  await tap.close()
  await living
  await checkNothingIsLeft(screen, before, meanwhile)
}

/** Where there is a `ping`, and it may. */
async function ping(screen: Screen, address: string): Promise<void> {
  try {
    const { stdout } = await promisify(execFile)('ping', ['-n', '-c', '1', '-W', '5', address])
    screen.good(stdout.split('\n').find(line => line.includes('bytes from')) ?? `${address} answered`)
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string }
    // It ends with 1 if there was no answer.
    if (code === 1) throw new Error(`${address} does not answer ping`)
    const reason = code === 'ENOENT' ? 'there is no ping here' : stderr.trim()
    screen.line(`   ${address} answers ping, too, but was not asked: ${reason}`)
  }
}
