// For `node --import`: loads TypeScript files, whose types are stripped and not checked.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
process.setSourceMapsEnabled(true)
