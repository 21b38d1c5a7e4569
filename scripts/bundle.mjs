// Joins the many small modules of lib/ into one file per sub-path of the package, with what they share in chunks:
// each module of its own costs most of a millisecond at import. Declarations stay as tsc wrote them.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { directImports } from './direct-imports.mjs'

/** Bundles src/ into lib/, which tsc has filled, and takes away the modules that are inside a bundle now. */
export async function bundle() {
  const { build } = await import('esbuild')
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
  const entries = Object.values(exports)
    .map(target => target.default)
    .filter(Boolean)
    .map(file => file.slice('./lib/'.length, -'.js'.length))
  for (const file of modules('lib')) {
    // The command line's modules are programs of their own, and use the rooms through the bundles.
    if (!file.startsWith(join('lib', 'cli'))) rmSync(file)
  }
  await build({
    entryPoints: entries.map(entry => ({ in: join('src', `${entry}.ts`), out: entry })),
    outdir: 'lib',
    // In lib/ itself: src/native.ts finds the addon relative to where it is.
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Names stay, for stack traces: what is left out is a tenth of what an import takes, and of the package.
    minifyWhitespace: true,
    lineLimit: 160,
    packages: 'external',
    plugins: [directImports],
    logLevel: 'warning',
  })
  for (const file of modules('lib')) {
    const text = readFileSync(file, 'utf8')
    const named = withClassNames(text)
    if (named !== text) writeFileSync(file, named)
  }
}

/** esbuild calls a class that names itself `_Network`, as an uncaught error and `console.log` would show. */
function withClassNames(text) {
  const names = [...text.matchAll(/\b(\w+)\s*=\s*class _\1\b/g)].map(match => match[1])
  if (names.length === 0) return text
  return text.replace(new RegExp(`(?<![.\\w$#'"\`])_(?=(?:${names.join('|')})(?![\\w$]))`, 'g'), '')
}

function modules(folder) {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return modules(path)
    return /\.js(\.map)?$/.test(name) ? [path] : []
  })
}
