/** The registry: one file per kind of qdisc. One that is not here can be read, with its settings raw. */
import { nothing } from '../struct.js'
import { fifo } from './fifo.js'
import { fq } from './fq.js'
import { fqCodel } from './fq-codel.js'
import { htb, htbClass } from './htb.js'
import { netem } from './netem.js'
import { prio } from './prio.js'
import { sfq } from './sfq.js'
import { tbf } from './tbf.js'

/** By the kernel's names, which are also those of the settings in options and qdiscs. */
export const qdiscKinds = {
  bfifo: fifo,
  clsact: nothing,
  fq,
  fq_codel: fqCodel,
  htb,
  ingress: nothing,
  mq: nothing,
  netem,
  noqueue: nothing,
  pfifo: fifo,
  pfifo_fast: prio,
  prio,
  sfq,
  tbf,
} as const

export const classKinds = { htb: htbClass } as const
