import { readFileSync } from 'node:fs'
import { finding } from '../harness/finding.mjs'
import { interleave } from '../harness/rounds.mjs'

const name = 'netloom'
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const paths = Object.entries(manifest.exports).filter(([, target]) => target.default)
const program = file => `
const began = performance.now()
await import(${JSON.stringify(new URL(`../../${file}`, import.meta.url).href)})
console.log(performance.now() - began)`

/** What a program waits for when it imports the front door, or one sub-path, each time in a process of its own. */
export async function imports({ lab, rounds }) {
  const network = await lab.network()
  const candidates = paths.map(([path, { default: file }]) => [
    path.replace('.', name),
    async () => {
      const args = ['--input-type=module', '--eval', program(file)]
      return Number(await lab.run(network, process.execPath, args))
    },
  ])
  const results = await interleave(rounds * 2, 1, Object.fromEntries(candidates))
  return Object.entries(results).map(([path, figures]) =>
    finding({ measure: `import '${path}'`, unit: 'ms', figures, most: path === name ? 60 : 40 }),
  )
}
