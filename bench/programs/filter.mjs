// filter.mjs: `compile`: compiles a filter of 1,000 hosts.
import { compileFilter } from '../../lib/filter/index.js'
import { meter, serve } from '../harness/serve.mjs'

const hosts = Array.from({ length: 1000 }, (_, i) => `10.${i % 7}.${(i * 37) % 251}.${i % 253}`)
const expression = `host ${hosts.join(' or ')}`
serve({
  compile() {
    const taken = meter()
    const { length } = compileFilter(expression, { live: true }).instructions
    return { ...taken(), length }
  },
})
