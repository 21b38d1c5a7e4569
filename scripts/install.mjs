// The `install` script of the package: compiles the addon when none of the prebuilt ones loads here.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { headerArguments, missingPackages, missingPackagesText } from './node-gyp.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

// Elsewhere the pure rooms work without the addon. A checkout is made ready by scripts/setup.mjs.
const isCheckout = existsSync(join(root, '.git'))
if (process.platform === 'linux' && !isCheckout && !prebuiltLoads()) compile()

/** A build for the other C library does not load, so both are tried. */
function prebuiltLoads() {
  const require = createRequire(import.meta.url)
  return ['glibc', 'musl'].some(libc => {
    try {
      require(join(root, 'prebuilds', `linux-${process.arch}`, `netloom.${libc}.node`))
      return true
    } catch {
      return false
    }
  })
}

function compile() {
  const missing = missingPackages()
  if (missing.length > 0) {
    console.error(`netloom: there is no prebuilt addon for linux-${process.arch} that loads here.`)
    console.error(missingPackagesText(missing))
    process.exit(1)
  }
  // npm puts its own node-gyp on the PATH and names it as well.
  const nodeGyp = process.env.npm_config_node_gyp
  const command = nodeGyp ? [process.execPath, nodeGyp] : ['node-gyp']
  const { status, error } = spawnSync(
    command[0],
    [...command.slice(1), 'rebuild', '--release', ...headerArguments()],
    { cwd: root, stdio: 'inherit' },
  )
  if (error) console.error(`netloom: could not run node-gyp: ${error.message}`)
  process.exit(status ?? 1)
}
