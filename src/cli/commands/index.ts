/** The commands, in the order in which the usage lists them. */
import type { Command } from '../command.js'
import { addresses } from './addresses.js'
import { capture } from './capture.js'
import { clean } from './clean.js'
import { demo } from './demo.js'
import { doctor } from './doctor.js'
import { fdb } from './fdb.js'
import { filter } from './filter.js'
import { links } from './links.js'
import { namespaces } from './namespaces.js'
import { neighbors } from './neighbors.js'
import { nexthops } from './nexthops.js'
import { qdiscs } from './qdiscs.js'
import { routes } from './routes.js'
import { rules } from './rules.js'
import { vlans } from './vlans.js'
import { watch } from './watch.js'

export const commands: readonly Command[] = [
  links,
  addresses,
  routes,
  rules,
  neighbors,
  fdb,
  vlans,
  nexthops,
  qdiscs,
  namespaces,
  watch,
  capture,
  filter,
  doctor,
  clean,
  demo,
]
