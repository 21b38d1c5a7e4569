import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { Namespace } from '../../../src/netns/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { asOrdinaryUser } from '../../support/ordinary-user.js'
import { requires } from '../../support/requires.js'

if (requires(t, 'nsenter', 'ip') && asOrdinaryUser(t, import.meta.url)) {
  const leaks = watchLeaks()

  t.test('an ordinary user has a network of its own, and is root in it', async t => {
    t.not(process.getuid?.(), 0)
    await using namespace = await Namespace.create({ userNamespace: true })
    const { stdout } = await namespace.exec('sh', ['-c', 'id -u; id -g; ip link set lo up && echo done'])
    t.equal(stdout, '0\n0\ndone\n')
    await using again = await Namespace.open({ fd: namespace.fd })
    t.equal(again.id, namespace.id)
    t.match(await again.exec('sh', ['-c', 'exit 7'], { reject: false }), { code: 7 })
  })

  t.test('web server and client inside', async t => {
    await using namespace = await Namespace.create({ userNamespace: true })
    await namespace.exec('ip', ['link', 'set', 'lo', 'up'])
    const server = http.createServer((_, response) => response.end('inside'))
    await namespace.listen(server, { host: '127.0.0.1', port: 80 })
    const request = http.get({ host: '127.0.0.1', createConnection: namespace.connector() as never })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    t.equal(await text(response), 'inside')
    server.close()
    await once(server, 'close')
  })

  t.test('what an ordinary user may not do says what is missing', async t => {
    await t.rejects(Namespace.create(), { code: 'EPERM', message: /userNamespace: true/ })
    await t.rejects(Namespace.create({ name: 'x', userNamespace: true }), { message: /needs root/ })
    await t.rejects(Namespace.open({ pid: 1 }), { code: 'EACCES', message: /CAP_SYS_PTRACE/ })
    await using namespace = await Namespace.create({ userNamespace: true })
    await t.rejects(namespace.exec('id', [], { env: { PATH: '/nowhere' } }), {
      code: 'ERR_UNSUPPORTED',
      message: /nsenter.*util-linux/,
    })
  })

  t.test('nothing is left', leaks)
}
