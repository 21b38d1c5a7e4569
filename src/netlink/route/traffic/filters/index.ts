/** The registry: one entry per kind of filter. One that is not here can be read, with its settings raw. */
import { nest } from '../../../core/index.js'
import { flower } from './flower.js'
import { bpf, fw, matchall } from './plain.js'
import { u32 } from './u32.js'

export const filterKinds = {
  bpf: nest(bpf),
  flower,
  fw: nest(fw),
  matchall: nest(matchall),
  u32: nest(u32),
} as const
