import { execFileSync } from 'node:child_process'
import t from 'tap'

const root = new URL('../../', import.meta.url).pathname

t.test('elsewhere than on Linux everything loads, and opening a device is one clear error', async t => {
  const script = `
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    const { describe, Namespace, Network, portPair, Tap, Tun } = await import('netloom')
    const codes = []
    for (const open of [() => Tap.create(), () => Tun.create(), () => Network.create(), () => Namespace.create()]) {
      codes.push(await open().catch(error => error.code + ' ' + /macOS|darwin/.test(error.message)))
    }
    const [a, b] = portPair('ethernet')
    await a.send(new Uint8Array(60))
    console.log(JSON.stringify({ codes, seen: describe(b.tryReceive().copy(0)) }))
  `
  const env = { PATH: process.env.PATH }
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  const { codes, seen } = JSON.parse(said)
  t.same(codes, Array(4).fill('ERR_UNSUPPORTED_PLATFORM true'))
  t.type(seen, 'string')
})
