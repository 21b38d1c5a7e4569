// Module hooks: `./name.js` in a TypeScript file is `./name.ts` where there is one, and such a file is stripped of its
// types by esbuild, once for each time that it changed.
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../node_modules/.cache/netloom-typescript', import.meta.url))

export function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts')) {
    const url = new URL(`${specifier.slice(0, -3)}.ts`, context.parentURL)
    if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true }
  }
  return next(specifier, context)
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  return { format: 'module', source: await stripped(fileURLToPath(url)), shortCircuit: true }
}

async function stripped(file) {
  const { mtimeMs, size } = statSync(file)
  const key = createHash('sha256').update(`${file} ${mtimeMs} ${size} ${process.version}`).digest('hex')
  const kept = join(cache, `${key}.mjs`)
  if (existsSync(kept)) return readFileSync(kept, 'utf8')
  const { transform } = await import('esbuild')
  const { code } = await transform(readFileSync(file, 'utf8'), {
    loader: 'ts',
    target: 'node20',
    sourcefile: file,
    sourcemap: 'inline',
    sourcesContent: false,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  })
  try {
    mkdirSync(cache, { recursive: true })
    // Others may be at the same file.
    const own = `${kept}.${randomUUID()}`
    writeFileSync(own, code)
    renameSync(own, kept)
  } catch {
    // A user who may not write there strips it each time.
  }
  return code
}
