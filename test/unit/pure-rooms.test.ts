import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import t from 'tap'
import { errnoName } from '../../src/errors/index.js'

/** Every module that `file` pulls in, itself included, and the imports that are not files. */
function importsOf(file: URL, seen = new Set<string>()): { files: Set<string>; others: string[] } {
  const others: string[] = []
  seen.add(fileURLToPath(file))
  const source = readFileSync(file, 'utf8')
  for (const [, name] of source.matchAll(/(?:\bfrom|^import) '([^']+)'$/gm)) {
    if (!name!.startsWith('.')) {
      others.push(name!)
      continue
    }
    const next = new URL(name!.replace(/\.js$/, '.ts'), file)
    if (!seen.has(fileURLToPath(next))) others.push(...importsOf(next, seen).others)
  }
  return { files: seen, others }
}

t.test('the pure rooms import nothing of Node', async t => {
  for (const room of ['bytes', 'address', 'frames', 'filter', 'pcap']) {
    const { files, others } = importsOf(new URL(`../../src/${room}/index.ts`, import.meta.url))
    t.same(others, [], room)
    if (room === 'pcap') t.ok(files.size > 20, 'imports were followed')
  }
  t.equal(errnoName(-1), 'EPERM')
  t.equal(errnoName(-524), 'ENOTSUPP')
  t.equal(errnoName(-9999), 'E9999')
})

t.test('and are bundled for a browser, where they read and write capture files', async t => {
  const room = fileURLToPath(new URL('../../src/pcap/index.ts', import.meta.url))
  const built = await build({
    entryPoints: [room],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'pcap',
    platform: 'browser',
    logLevel: 'silent',
  })
  // Nothing but what browsers have: no process, no Buffer, no require.
  const globals = { TextDecoder, TextEncoder, DecompressionStream, ReadableStream, WritableStream }
  const context = createContext({ ...globals, log: [] as unknown[] })
  runInContext(built.outputFiles[0]!.text, context)
  await runInContext(
    `(async () => {
      const batches = [{ linkType: 'ip', count: 1, slab: Uint8Array.of(0x45), offsets: Uint32Array.of(0),
        lengths: Uint32Array.of(1), timestamps: BigInt64Array.of(5n), release() {} }]
      const file = pcap.captureBytes(batches)
      for await (const packet of pcap.readCapture(file).packets()) log.push(packet)
    })()`,
    context,
  )
  t.match(context.log, [{ timestamp: 5n, data: { 0: 0x45, length: 1 } }])
})
