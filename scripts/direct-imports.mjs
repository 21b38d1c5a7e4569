// For esbuild, which keeps whole files together: what a module imports by a room's index is imported from the file that
// has it, so that a bundle holds what it uses of a room and not all that the room offers.
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const fromIndex = /^(import|export) (type )?\{([^}]*)\} from '(\.[^']*\/index\.js)'$/gm
const reExports = /^export (type )?\{([^}]*)\} from '(\.[^']*)'$/gm

export const directImports = {
  name: 'direct-imports',
  setup(build) {
    const indexes = new Map()
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      return { contents: rewritten(path, text, indexes), loader: 'ts' }
    })
  },
}

function rewritten(path, text, indexes) {
  const folder = dirname(path)
  return text.replace(fromIndex, (statement, verb, types, list, from) => {
    if (types) return statement
    const index = offered(source(folder, from), indexes)
    return namesOf(list)
      .map(({ name, as }) => {
        // What the index does not have from elsewhere is its own.
        const origin = index.get(name)
        const module = origin ? `./${relative(folder, origin.file)}` : from
        return `${verb} { ${origin?.name ?? name} as ${as} } from '${module}'`
      })
      .join(';')
  })
}

/** Where an index has its names from: a file, and the name there. */
function offered(file, indexes) {
  const known = indexes.get(file)
  if (known) return known
  const names = new Map()
  indexes.set(file, names)
  for (const [, types, list, from] of readFileSync(file, 'utf8').matchAll(reExports)) {
    if (types) continue
    const origin = source(dirname(file), from)
    const deeper = origin.endsWith('/index.ts') ? offered(origin, indexes) : undefined
    for (const { name, as } of namesOf(list)) names.set(as, deeper?.get(name) ?? { file: origin, name })
  }
  return names
}

function source(folder, from) {
  return join(folder, from.replace(/\.js$/, '.ts'))
}

/** `a, type B, c as d`, without the types. */
function namesOf(list) {
  return list
    .replace(/\/\*.*?\*\/|\/\/.*$/gms, '')
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '' && !each.startsWith('type '))
    .map(each => {
      const [name, as = name] = each.split(' as ')
      return { name, as }
    })
}
