// Compiles the addon for this machine into prebuilds/linux-<arch>/netloom.<glibc|musl>.node:
// `node scripts/prebuild.mjs [folder that gets prebuilds/]`. Works on a copy, so build/ stays as it is.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { headerArguments, missingPackages, missingPackagesText } from './node-gyp.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? root)
const modules = join(root, 'node_modules')

const missing = missingPackages()
if (missing.length > 0) {
  console.error(missingPackagesText(missing))
  process.exit(1)
}

const copy = mkdtempSync(join(tmpdir(), 'netloom-prebuild-'))
try {
  for (const name of ['package.json', 'binding.gyp', 'native'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(modules, join(copy, 'node_modules'))
  const nodedir = headerArguments()[0]?.split('=')[1]
  const { status } = spawnSync(
    process.execPath,
    [
      join(modules, 'prebuildify', 'bin.js'),
      '--napi',
      '--strip',
      '--tag-libc',
      `--target=${process.version}`,
      `--out=${out}`,
    ],
    {
      cwd: copy,
      stdio: ['ignore', 2, 2],
      env: {
        ...process.env,
        PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH}`,
        ...(nodedir && { npm_config_nodedir: nodedir }),
      },
    },
  )
  process.exitCode = status ?? 1
} finally {
  rmSync(copy, { recursive: true })
}
