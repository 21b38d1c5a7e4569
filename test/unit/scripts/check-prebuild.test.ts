import { readFileSync } from 'node:fs'
import t from 'tap'

interface Needs {
  needed: string[]
  versions: { library: string; version: string }[]
}

const scripts = new URL('../../../scripts/', import.meta.url)
const { readElfNeeds } = (await import(new URL('elf-needs.mjs', scripts).href)) as {
  readElfNeeds(file: Buffer): Needs
}
const { judgeNeeds } = (await import(new URL('check-prebuild.mjs', scripts).href)) as {
  judgeNeeds(needs: Needs): string[]
}

t.test('reads what the running Node needs', { skip: process.platform !== 'linux' }, async t => {
  const { needed, versions } = readElfNeeds(readFileSync(process.execPath))
  t.ok(
    needed.some(name => /^libc\./.test(name)),
    needed.join(' '),
  )
  for (const { library, version } of versions) {
    t.ok(needed.includes(library), library)
    t.match(version, /^[A-Z]\w*_[\w.]+$/)
  }
  t.throws(() => readElfNeeds(Buffer.alloc(100)), /not a 64-bit little-endian ELF file/)
})

t.test('passes what old systems have', async t => {
  const versions = ['GLIBC_2.31', 'GLIBC_2.2.5', 'GLIBCXX_3.4', 'GLIBCXX_3.4.21', 'CXXABI_1.3.9', 'GCC_3.0']
  t.same(
    judgeNeeds({
      needed: ['libc.so.6', 'libm.so.6', 'libpthread.so.0', 'libdl.so.2', 'libstdc++.so.6', 'libgcc_s.so.1'],
      versions: versions.map(version => ({ library: 'libc.so.6', version })),
    }),
    [],
  )
  t.same(judgeNeeds({ needed: ['ld-linux-x86-64.so.2', 'libc.musl-x86_64.so.1'], versions: [] }), [])
})

t.test('refuses later versions and other libraries', async t => {
  for (const version of ['GLIBC_2.32', 'GLIBC_2.31.1', 'GLIBC_3', 'GLIBCXX_3.4.22', 'CXXABI_1.3.10']) {
    t.match(judgeNeeds({ needed: [], versions: [{ library: 'libx.so.1', version }] }), [version])
  }
  t.match(judgeNeeds({ needed: ['libpcap.so.0.8'], versions: [] }), ['libpcap.so.0.8'])
})
