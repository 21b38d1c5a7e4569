// Checks the imports of src/ against the table in ARCHITECTURE.md: `node scripts/check-layers.mjs [root]`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const longestFile = 700
const frontDoor = 'index'

/** Rooms with the number of their row, as the section `## Layers` lists them: `a b` < `c d` < … */
export function readLayers(markdown) {
  const section = /^## Layers$(.*?)(?=^## |$(?![\s\S]))/ms.exec(markdown)?.[1] ?? ''
  const chain = /(?:`[^`]+`\s*<\s*)+`[^`]+`/.exec(section)?.[0]
  if (!chain) throw new Error('ARCHITECTURE.md has no table under "## Layers"')
  const rows = new Map()
  chain.split('<').forEach((row, number) => {
    for (const room of row.replaceAll('`', ' ').trim().split(/\s+/)) rows.set(room, number)
  })
  rows.set(frontDoor, rows.get('cli') - 0.5)
  rows.set('testing', Number.POSITIVE_INFINITY)
  for (const room of [...rows.keys()].filter(room => room.includes('/'))) {
    const parent = dirname(room)
    rows.set(parent, Math.max(rows.get(parent) ?? 0, rows.get(room)))
  }
  return rows
}

/** The room of a file, given relative to src/: `netlink/core/socket.ts` is in `netlink/core`. */
function roomOf(file, rows) {
  if (!file.includes('/')) return file.replace(/\.ts$/, '')
  const [first, second] = file.split('/')
  if (rows.has(`${first}/${second}`)) return `${first}/${second}`
  return first
}

function isFrontDoorOfRooms(room, rows) {
  return [...rows.keys()].some(other => other.startsWith(`${room}/`))
}

/** The relative imports of a source text, type-only ones included, each with its line. */
function importsOf(text) {
  const code = text
    .replace(/\/\*.*?\*\//gs, comment => comment.replace(/[^\n]/g, ' '))
    .replace(/^\s*\/\/.*$/gm, '')
  const pattern = /\b(?:from|import)\s*\(?\s*(['"])(\.[^'"]*)\1/g
  return [...code.matchAll(pattern)].map(match => ({
    specifier: match[2],
    line: code.slice(0, match.index).split('\n').length,
  }))
}

/** What is wrong with `root`/src, a line each. */
export function checkLayers(root) {
  const rows = readLayers(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))
  const problems = []
  const files = readdirSync(join(root, 'src'), { recursive: true })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => file.endsWith('.ts'))
  for (const file of files.sort()) {
    const text = readFileSync(join(root, 'src', file), 'utf8')
    const lines = text.split('\n').length - 1
    if (lines > longestFile)
      problems.push(`src/${file}: ${lines} lines; more than ${longestFile} is too long`)
    const room = roomOf(file, rows)
    if (!rows.has(room) || (isFrontDoorOfRooms(room, rows) && file !== `${room}/index.ts`)) {
      problems.push(`src/${file}: room "${room}" is not in the table of ARCHITECTURE.md`)
      continue
    }
    for (const { specifier, line } of importsOf(text)) {
      const target = posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts')
      const problem = judge(file, room, target, rows)
      if (problem) problems.push(`src/${file}:${line}: ${problem}`)
    }
  }
  return problems
}

function judge(file, room, target, rows) {
  if (target.startsWith('..')) return `imports ${target}, which is outside src/`
  const other = roomOf(target, rows)
  if (other === room) return undefined
  if (!rows.has(other)) return `imports from "${other}", a room that is not in the table`
  if (other === 'native') {
    if (posix.basename(file) !== 'handle.ts') return 'imports native.ts, which only files named handle.ts may'
  } else if (target !== `${other}.ts` && target !== `${other}/index.ts`) {
    return `imports ${target}: of another room only its index.ts`
  }
  if (room === 'testing' && other === 'cli') return '"testing" imports from "cli", the one room it must not'
  const itsOwn = isFrontDoorOfRooms(room, rows) && other.startsWith(`${room}/`)
  if (rows.get(other) < rows.get(room) || itsOwn) return undefined
  if (room === frontDoor && other === 'testing') return undefined
  return `"${room}" imports from "${other}", which is not in a row before its own`
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))
  const problems = existsSync(join(root, 'src')) ? checkLayers(root) : [`${root} has no src/`]
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exit(1)
}
