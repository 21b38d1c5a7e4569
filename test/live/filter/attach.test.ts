import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import { compileFilter } from '../../../src/filter/index.js'
import { packetsOn } from '../../support/filter-packets.js'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'

const leaks = watchLeaks()
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Each frame ends with its number. The kernel pads nothing on a veth. */
const frames = packetsOn('ethernet').map((packet, index) =>
  Uint8Array.from([...packet, index >> 8, index & 0xff]),
)
const last = Uint8Array.from([
  2,
  0,
  0,
  0,
  0,
  2,
  2,
  0,
  0,
  0,
  0,
  1,
  0x88,
  0xb5,
  ...new TextEncoder().encode('last'),
])

const expressions = [
  '',
  'tcp port 80',
  'udp port 53 or icmp6',
  'vlan',
  'vlan 100 and tcp port 80',
  'vlan 5 and vlan 100 and ip6',
  'host 10.0.0.1 and not vlan',
  'mpls and mpls and udp',
  'pppoes and tcp port 80',
  'geneve and udp port 53',
  'geneve or arp',
  'vxlan 42 and udp',
  'tcp[tcpflags] & tcp-syn != 0 or inbound and arp',
  'tcp[tcp[12] >> 4] = 0',
  Array.from({ length: 1000 }, (_, i) => `host 10.0.${i >> 8}.${i & 255}`).join(' or '),
]

/** The frame as the receiving kernel hands it out: the outermost 802.1Q or 802.1ad tag beside it. */
function received(frame: Uint8Array): { bytes: Uint8Array; vlan?: { tci: number; protocol: number } } {
  const protocol = frame[12]! * 256 + frame[13]!
  if (protocol !== 0x8100 && protocol !== 0x88a8) return { bytes: frame }
  const bytes = Uint8Array.from([...frame.subarray(0, 12), ...frame.subarray(16)])
  return { bytes, vlan: { tci: frame[14]! * 256 + frame[15]!, protocol } }
}

t.test('the kernel takes live programs, and passes what the interpreter passes', async t => {
  if (!requiresRoot(t) || !requires(t, 'python3')) return
  await using networks = await connectedNetworks()
  const { red, blue } = networks
  for (const expression of expressions) {
    const program = compileFilter(expression, { live: true })
    const receiver = blue.namespace.spawn('python3', [script('attach.py'), 'v0', hex(program.bytes())], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const passed: number[] = []
    const ended = once(receiver, 'exit')
    for await (const line of createInterface({ input: receiver.stdout! })) {
      if (line === 'ready') {
        const sender = red.namespace.spawn('python3', [script('send.py'), 'v0'], {
          stdio: ['pipe', 'inherit', 'inherit'],
        })
        sender.stdin!.end([...frames, last].map(frame => hex(frame)).join('\n'))
      } else if (line !== 'end') passed.push(Number(line))
    }
    await ended
    const expected = frames.flatMap((frame, index) => {
      const { bytes, vlan } = received(frame)
      return program.match(bytes, { vlan, direction: 'inbound' }) ? [index] : []
    })
    // The frame that ends the test may pass as well.
    t.same(
      passed.filter(index => index < frames.length),
      expected,
      expression.slice(0, 60),
    )
    t.ok(expected.length > 0, `${expected.length} frames pass`)
  }
})

t.test('nothing is left', leaks)
