// What building the addon needs, for setup.mjs (a checkout), install.mjs (an installed package) and the tests.
import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/**
 * Where node-gyp finds Node's headers: what the user configured, else those beside the running Node, else
 * node-gyp downloads them.
 */
export function headerArguments() {
  if (process.env.npm_config_nodedir) return []
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : []
}

/** The Debian packages that are missing to compile with node-gyp. */
export function missingPackages() {
  const missing = []
  if (!hasProgram(process.env.CXX?.split(' ')[0] ?? '', 'g++', 'c++', 'clang++')) missing.push('g++')
  if (!hasProgram(process.env.MAKE ?? '', 'make', 'gmake')) missing.push('make')
  const python = process.env.npm_config_python ?? process.env.PYTHON ?? ''
  if (!hasProgram(python, 'python3', 'python')) missing.push('python3')
  return missing
}

export function missingPackagesText(missing) {
  return [
    `netloom: to compile the addon, this machine lacks ${missing.join(', ')} (python3 is for node-gyp).`,
    `On Debian or Ubuntu: apt-get install ${missing.join(' ')}`,
  ].join('\n')
}

/** The library of GCC's address sanitizer, for LD_PRELOAD; undefined where there is none. */
export function asanLibrary() {
  const compiler = process.env.CXX?.split(' ')[0] || 'g++'
  const { stdout } = spawnSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' })
  const path = stdout?.trim()
  // Without one, the compiler gives the bare name back.
  return path?.startsWith('/') && existsSync(path) ? realpathSync(path) : undefined
}

function hasProgram(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return names.some(name =>
    name.includes('/') ? existsSync(name) : name && folders.some(folder => existsSync(join(folder, name))),
  )
}
