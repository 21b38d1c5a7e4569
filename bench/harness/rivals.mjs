import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildFolder } from './floor.mjs'

/** Installs a package of somebody else's, on demand and apart from our own; gives the folder. */
export async function install(name, version, say) {
  const folder = join(buildFolder, 'rivals')
  mkdirSync(folder, { recursive: true })
  const own = join(folder, 'package.json')
  // Written anew it would forget what is installed.
  if (!existsSync(own)) writeFileSync(own, '{ "private": true }\n')
  const list = await promisify(execFile)('npm', ['ls', '--prefix', folder, `${name}@${version}`]).catch(
    () => undefined,
  )
  if (!list) {
    say(`installing ${name} ${version} …`)
    await promisify(execFile)(
      'npm',
      ['install', '--prefix', folder, '--no-audit', '--no-fund', `${name}@${version}`],
      { timeout: 180_000 },
    )
  }
  return folder
}
