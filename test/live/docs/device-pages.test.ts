import type { ChildProcess } from 'node:child_process'
import type dgram from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type http from 'node:http'
import type net from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import {
  Namespace,
  type NamespaceCreateOptions,
  type NamespaceOpenOptions,
} from '../../../src/netns/index.js'
import { Network } from '../../../src/network/index.js'
import {
  type TakenDescriptor,
  Tap,
  Tun,
  type TunOptions,
  type TuntapFeatures,
} from '../../../src/tuntap/index.js'
import { runSnippet, snippets } from '../../support/doc-snippets.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

const lab = `nl-doc-${process.pid}`

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await once(child, 'exit')
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('docs/tuntap.md', async t => {
    const pages = snippets('docs/tuntap.md')
    const [print, persist, cable, filters, , , taken, features] = pages
    t.equal(pages.length, 8)
    await using network = await Network.create()
    const said: unknown[] = []
    const console = { log: (...values: unknown[]) => said.push(values.join(' ')) }

    const printing = runSnippet(print!, { network, console })
    while (said.length === 0) await nextTurn()
    t.match(said[0], /^(IP|ARP)/, 'what the kernel sends by itself')
    await network.links.delete('tap0')
    await printing

    await runSnippet(persist!, { network })
    t.equal(await network.links.find('tap0'), undefined, 'the device is deleted')

    const tap = await Tap.create({ in: network, name: 'tap0', ipv6LinkLocal: 'none' })
    said.length = 0
    const watching = runSnippet(cable!, { tap, console })
    while (said.length === 0) await nextTurn()
    await network.links.change('tap0', { mtu: 1400 })
    while (said.length === 1) await nextTurn()
    tap.setCarrier(true)
    while (said.length === 2) await nextTurn()
    t.same(said, ['tap0 false', 'mtu 1500 1400', 'carrier true'])
    t.match(await runSnippet(filters!, { tap }), { exact: 1 })
    const { again } = (await runSnippet(taken!, { tap, Tap })) as { taken: TakenDescriptor; again: Tap }
    t.equal(again.name, 'tap0')
    await watching
    await again.close()

    t.match((await runSnippet(features!, { network })) as Partial<TuntapFeatures>, {
      multiQueue: true,
      vnetHeaderSizes: [10, 12],
      offloads: ['checksum'],
    })
  })

  t.test('docs/tuntap.md: socat', async t => {
    if (!requires(t, 'socat', 'ping')) return
    await using red = await Network.create()
    await using blue = await Network.create()
    const { socat } = await runSnippet(snippets('docs/tuntap.md')[4]!, { red, blue })
    const ping = ['-c', '2', '-i', '0.02', '-W', '5', '10.0.0.2']
    t.match((await red.namespace.exec('ping', ping)).stdout, /2 received/)
    await end(socat as ChildProcess)
    t.same(
      (await red.links.list()).map(link => link.name),
      ['lo'],
    )
  })

  t.test('docs/tuntap.md: wireguard-go', async t => {
    if (!requires(t, 'wireguard-go')) return
    await using network = await Network.create()
    // Its control socket is the machine's.
    const name = `nlwg${process.pid}`
    const env = { ...process.env, WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1', LOG_LEVEL: 'silent' }
    const { wireguard } = (await runSnippet(snippets('docs/tuntap.md')[5]!, {
      network,
      process: { env },
      Tun: { create: (options: TunOptions) => Tun.create({ ...options, name }) },
    })) as { wireguard: ChildProcess }
    const control = `/var/run/wireguard/${name}.sock`
    for (let i = 0; i < 200 && !existsSync(control) && wireguard.exitCode === null; i++) await delay(50)
    t.ok(existsSync(control), 'it works with the device')
    t.match(await network.links.get(name), { mtu: 1420, tun: { packetInformation: true } })
    await end(wireguard)
    t.equal(await network.links.find(name), undefined)
  })

  t.test('docs/namespaces.md', async t => {
    if (!requires(t, 'cat', 'sleep')) return
    const [create, programs, web, sockets, user, ...others] = snippets('docs/namespaces.md')
    t.equal(others.length, 0)
    const own = <O extends { name?: string | undefined }>(options?: O) =>
      options?.name === undefined ? options : { ...options, name: lab }
    const said: unknown[] = []
    const { red } = (await runSnippet(create!, {
      console: { log: (value: unknown) => said.push(value) },
      Namespace: {
        create: (options?: NamespaceCreateOptions) => Namespace.create(own(options)),
        open: (options: NamespaceOpenOptions) => Namespace.open(own(options)),
        list: async () => (await Namespace.list()).filter(name => name === lab),
      },
    })) as { red: Namespace }
    t.same(said, [true, [lab]])
    t.notOk((await Namespace.list()).includes(lab))
    await using _red = red
    await using network = await Network.open(red)
    await network.links.change('lo', { up: true })

    const { stdout, child } = (await runSnippet(programs!, { red })) as {
      stdout: string
      child: ChildProcess
    }
    t.match(stdout, /^ *lo:/m)
    await once(child, 'exit')

    let show: (response: http.IncomingMessage) => void = () => {}
    const answered = new Promise<http.IncomingMessage>(resolve => (show = resolve))
    const { server } = (await runSnippet(web!, { red, show })) as { server: http.Server }
    t.equal(await text(await answered), 'Hello, 127.0.0.1!')

    const opened = (await runSnippet(sockets!, { red })) as {
      socket: net.Socket
      udp: dgram.Socket
      other: net.Socket
    }
    t.equal(opened.socket.remotePort, 80)
    t.match(opened.udp.address(), { address: '127.0.0.1', port: 53 })
    opened.socket.destroy()
    opened.other.destroy()
    opened.udp.close()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')

    const { mine, beside } = (await runSnippet(user!, {})) as { mine: Namespace; beside: Namespace }
    t.not(mine.id, beside.id)
    await mine.close()
    await beside.close()
  })

  t.test('nothing is left', leaks)
}
