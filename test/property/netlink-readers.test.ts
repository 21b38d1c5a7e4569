import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hex } from '../../src/bytes/index.js'
import { isNetloomError } from '../../src/errors/index.js'
import {
  type AttributeCursor,
  type Codec,
  type Message,
  MessageWriter,
  nest,
  Payload,
  payloadOf,
  readMessages,
  readTable,
  type Table,
} from '../../src/netlink/core/index.js'
import { readDriverInfo, readStatistics } from '../../src/netlink/generic/ethtool/driver.js'
import { readEntry } from '../../src/netlink/generic/ethtool/setting.js'
import { featuresTable, settings, stringSetsTable } from '../../src/netlink/generic/ethtool/settings.js'
import { familyInfo, familyTable } from '../../src/netlink/generic/family-info.js'
import { GenericMessage } from '../../src/netlink/generic/generic-message.js'
import { readPolicy } from '../../src/netlink/generic/policy.js'
import { deviceTable, peerTable } from '../../src/netlink/generic/wireguard/tables.js'
import { encapsulations, readEncapsulation } from '../../src/netlink/route/encapsulation.js'
import { linkKinds, portKinds } from '../../src/netlink/route/index.js'
import {
  readActionStruct,
  readOperation,
  readVerdict,
} from '../../src/netlink/route/traffic/actions/action.js'
import { actionKinds, actionList } from '../../src/netlink/route/traffic/actions/index.js'
import { filterKinds } from '../../src/netlink/route/traffic/filters/index.js'
import { readTraffic } from '../../src/netlink/route/traffic/message.js'
import { classKinds, qdiscKinds } from '../../src/netlink/route/traffic/qdiscs/index.js'
import { readRate } from '../../src/netlink/route/traffic/rate.js'
import { readTrafficStatistics } from '../../src/netlink/route/traffic/statistics.js'
import { fuzz, fuzzRuns, fuzzSeed as seed } from '../support/fuzz.js'
import { Mutator, Random } from '../support/random.js'

// NETLOOM_FUZZ_RUNS inputs for each of the targets would take hours: they share ten times as many. NETLOOM_FUZZ_SEED
// repeats a run.
const runs = Math.max(3000, Math.ceil(fuzzRuns / 20))
t.comment(`seed ${seed}`)
t.setTimeout(60_000 + runs * 20)

const netlink = new URL('../../src/netlink/', import.meta.url).pathname

interface Target {
  /** Bytes before the attributes. */
  headers: readonly number[]
  read(payload: Payload): unknown
}

/** Bytes before attributes in messages of the kernel's families. */
const headers = [0, 4, 8, 12, 16, 20]
const targets = new Map<string, Target>()

const attributesOf = (payload: Payload): AttributeCursor => payload.attributes(0)

function cursorOf(payload: Payload): AttributeCursor {
  const cursor = payloadOf(writerOf().bytes(1, '', payload.bytes).finish()).attributes(0)
  cursor.next()
  return cursor
}

function writerOf(): MessageWriter {
  return new MessageWriter({ type: 1, flags: 0, header: { length: 0, write() {} }, name: 'x' })
}

function addTable(name: string, table: Table): void {
  targets.set(`table ${name}`, { headers: [0], read: payload => readTable(table, attributesOf(payload)) })
  targets.set(`nest ${name}`, { headers: [0], read: payload => nest(table).read(cursorOf(payload)) })
}

function addCodec(name: string, codec: Codec<unknown>): void {
  targets.set(`codec ${name}`, { headers: [0], read: payload => codec.read(cursorOf(payload)) })
}

/** Readers of other things than whole messages, each with what is read by it here. */
const others: Record<string, (payload: Payload) => unknown> = {
  readEncapsulation: payload => {
    for (const { number } of Object.values(encapsulations)) readEncapsulation(number, attributesOf(payload))
    readEncapsulation(0, attributesOf(payload))
  },
  readActionStruct: payload => readActionStruct(cursorOf(payload), 3),
  readVerdict: payload => readVerdict(payload.bytes),
  readOperation: payload => readOperation(payload.bytes, { one: 1 }),
  readTraffic: payload => {
    for (const kinds of [qdiscKinds, classKinds, filterKinds]) readTraffic(payload, kinds)
  },
  readTrafficStatistics: payload => readTrafficStatistics(cursorOf(payload)),
  readPolicy: payload => readPolicy([new GenericMessage(messageOf(payload), 0)]),
  readEntry: payload => {
    for (const definition of Object.values(settings)) {
      readEntry(definition, new GenericMessage(messageOf(payload), 0))
    }
  },
  readRate: payload => readRate(BigInt(payload.length)),
  // What ioctl gives is as long as was asked for.
  readDriverInfo: payload => {
    const bytes = new Uint8Array(196)
    bytes.set(payload.bytes.subarray(0, 196))
    return readDriverInfo(bytes)
  },
  readStatistics: payload => {
    const count = Math.floor(payload.length / 40)
    return readStatistics(count, payload.bytes.slice(0, 40 * count))
  },
}

/** They ask; they do not read. */
const askers = ['readDriver', 'readDriverStatistics']

function messageOf(payload: Payload): Message {
  return { type: 1, flags: 0, sequence: 0, port: 0, payload }
}

/** Every exported function whose name says that it reads, with the file that it is in. */
function findReaders(): { name: string; file: string; takesMessage: boolean }[] {
  const files = readdirSync(netlink, { recursive: true, encoding: 'utf8' })
  return files
    .filter(file => file.endsWith('.ts') && !file.startsWith('core/'))
    .flatMap(file => {
      const source = readFileSync(join(netlink, file), 'utf8')
      const found = source.matchAll(/^export (?:async )?function \*?(\w+)(?:<.*>)?\(\s*(\w+: \w+)?(\)?)/gm)
      return [...found]
        .map(([, name, first, end]) => ({
          name: name!,
          file,
          takesMessage: first === 'payload: Payload' && end === ')',
        }))
        .filter(({ name, takesMessage }) => takesMessage || /^read[A-Z]/.test(name))
    })
}

t.test('no reader is forgotten', async t => {
  const forgotten: string[] = []
  for (const { name, file, takesMessage } of findReaders()) {
    if (takesMessage) {
      const module: Record<string, (payload: Payload) => unknown> = await import(join(netlink, file))
      targets.set(name, { headers, read: module[name]! })
    } else if (Object.hasOwn(others, name)) targets.set(name, { headers, read: others[name]! })
    else if (!askers.includes(name)) forgotten.push(`${name} in ${file}`)
  }
  t.same(forgotten, [])
  for (const name of ['readLink', 'readRoute', 'readMdb', 'readTraffic']) t.ok(targets.has(name), name)
  t.same(
    Object.keys(others).filter(name => !targets.has(name)),
    [],
    'all of them exist',
  )
  const kinds = [...Object.entries(linkKinds), ...Object.entries(portKinds)]
  for (const [name, kind] of kinds) addTable(`link ${name}`, kind.settings)
  for (const [name, { table }] of Object.entries(settings)) addTable(`ethtool ${name}`, table)
  for (const [name, table] of Object.entries({
    featuresTable,
    stringSetsTable,
    familyTable,
    peerTable,
    deviceTable,
  })) {
    addTable(name, table)
  }
  for (const [name, { table }] of Object.entries(encapsulations)) addTable(`encapsulation ${name}`, table)
  for (const [of, all] of Object.entries({ qdiscKinds, classKinds, filterKinds })) {
    for (const [name, codec] of Object.entries(all)) addCodec(`${of} ${name}`, codec as Codec<unknown>)
  }
  addCodec('actions', actionList as Codec<unknown>)
  for (const [name, { read }] of Object.entries(actionKinds)) {
    targets.set(`action ${name}`, { headers: [0], read: payload => read(attributesOf(payload)) })
  }
  targets.set('family', {
    headers: [0],
    read: payload => familyInfo(readTable(familyTable, attributesOf(payload)).values),
  })
  targets.set('messages', { headers: [16], read: payload => readMessages(payload.bytes, () => {}) })
  t.ok(targets.size > 150, `${targets.size} targets`)
})

const names = [
  ...Object.keys(linkKinds),
  ...Object.keys(portKinds),
  ...[qdiscKinds, classKinds, filterKinds, actionKinds].flatMap(all => Object.keys(all)),
]

/** Attributes of random types: with values of the usual lengths, with attributes in them, or with a kind's name. */
function writeAttributes(writer: MessageWriter, random: Random, depth: number): void {
  for (let i = random.below(8); i > 0; i--) {
    const type = random.below(random.below(4) === 0 ? 70 : 16)
    const form = random.below(8)
    if (form < 3 && depth < 4) writer.nested(type, '', inner => writeAttributes(inner, random, depth + 1))
    else if (form === 3) {
      const place = random.below(2) === 0 ? type : 1
      writer.string(place, '', names[random.below(names.length)]!)
    } else {
      const value = new Uint8Array([0, 1, 2, 4, 4, 6, 8, 8, 12, 16, 20, 28, 32, 64, 200][random.below(15)]!)
      random.fill(value, value.length)
      writer.bytes(type, '', value)
    }
  }
}

/** What could be a message: a family, then attributes, addresses only, or of a kind that the library knows. */
function sampleOf(random: Random, header: number): Uint8Array {
  const writer = new MessageWriter({
    type: 1,
    flags: 0,
    name: 'x',
    header: {
      length: header,
      write: (view, at) => {
        for (let i = 0; i < header; i++) view.setUint8(at + i, random.below(4) === 0 ? random.below(256) : 0)
        if (header > 0) view.setUint8(at, [0, 2, 7, 10][random.below(4)]!)
      },
    },
  })
  const form = random.below(3)
  if (form === 1) {
    const address = new Uint8Array(random.below(2) === 0 ? 4 : 16)
    for (const type of [1, 2]) writer.bytes(type, '', address)
    return writer.finish().message.slice(16)
  }
  if (form === 2) {
    const name = names[random.below(names.length)]!
    // IFLA_LINKINFO with kind and settings, of a link or a port; TCA_KIND and TCA_OPTIONS.
    writer.nested(18, '', info => {
      const first = random.below(2) === 0 ? 1 : 4
      info.string(first, '', name)
      info.nested(first + 1, '', inner => writeAttributes(inner, random, 1))
    })
    writer.string(1, '', name)
    writer.nested(2, '', inner => writeAttributes(inner, random, 1))
  }
  writeAttributes(writer, random, 0)
  return writer.finish().message.slice(16)
}

t.test('whatever the kernel says is read, or refused as what it is', async t => {
  for (const [name, { headers, read }] of targets) {
    const random = new Random(seed)
    const samples = Array.from({ length: 256 }, (_, i) =>
      sampleOf(random, headers[i % headers.length]!).subarray(0, 4000),
    )
    const mutator = new Mutator(seed, samples)
    let valid = 0
    const passed = fuzz(t, name, runs, () => {
      const bytes = mutator.next()
      try {
        read(new Payload(bytes))
        valid++
      } catch (error) {
        if (!isNetloomError(error, 'ERR_NETLINK_PROTOCOL')) return `threw ${error} on ${hex(bytes)}`
      }
      return undefined
    })
    t.ok(passed && valid > 0, `${name}: ${runs} inputs, ${valid} of them valid`)
  }
})
