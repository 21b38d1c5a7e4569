// Checks that prebuilt addons load on old systems: `node scripts/check-prebuild.mjs [file …]`, all of
// prebuilds/ without arguments.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readElfNeeds } from './elf-needs.mjs'

// Debian 11 and Ubuntu 20.04; what Node 20's own builds need of libstdc++.
const newest = { GLIBC: '2.31', GLIBCXX: '3.4.21', CXXABI: '1.3.9' }
const libraries =
  /^(lib(c|m|pthread|dl|stdc\+\+|gcc_s)\.so\.\d+|ld-linux[\w-]*\.so\.\d+|libc\.musl-\w+\.so\.1)$/

/** What makes these needs too much, a line each. */
export function judgeNeeds({ needed, versions }) {
  const problems = needed.filter(name => !libraries.test(name)).map(name => `needs the library ${name}`)
  for (const { library, version } of versions) {
    const [, family, number] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? []
    const limit = newest[family]
    if (limit && isLater(number, limit)) problems.push(`needs ${version} of ${library}, later than ${limit}`)
  }
  return problems
}

function isLater(version, limit) {
  const have = version.split('.').map(Number)
  const most = limit.split('.').map(Number)
  for (let i = 0; i < Math.max(have.length, most.length); i++) {
    const difference = (have[i] ?? 0) - (most[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}

function prebuilds() {
  const folder = fileURLToPath(new URL('../prebuilds', import.meta.url))
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .filter(name => name.endsWith('.node'))
    .map(name => join(folder, name))
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const files = process.argv.length > 2 ? process.argv.slice(2) : prebuilds()
  if (files.length === 0) {
    console.error('no prebuilt addon: run node scripts/prebuild.mjs first')
    process.exitCode = 1
  }
  for (const file of files) {
    const needs = readElfNeeds(readFileSync(file))
    const problems = judgeNeeds(needs)
    console.log(`${file}: ${[...needs.needed, ...needs.versions.map(({ version }) => version)].join(' ')}`)
    for (const problem of problems) console.error(`${file}: ${problem}`)
    if (problems.length > 0) process.exitCode = 1
  }
}
