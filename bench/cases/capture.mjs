import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuPerFrame, finding } from '../harness/finding.mjs'
import { measuredCore } from '../harness/machine.mjs'
import { install } from '../harness/rivals.mjs'
import { interleave } from '../harness/rounds.mjs'

const size = 64
const perSecond = 400_000
const milliseconds = 500
const rivals = { pcap: '3.1.0', cap: '0.2.1' }
const ways = ['batch', 'look', 'tuple', 'frames', 'packets', 'file']

/** CPU time of capturing and drops, with plain C, tcpdump, dumpcap, npm `pcap` and `cap`; each has a cable of its own. */
export async function capture({ lab, rounds, say }) {
  const red = await lab.network()
  const blue = await lab.network()
  const floor = { source: 'capture_floor' }
  const blaster = await lab.floor(red, ['blast'], { ...floor, load: true })
  let cables = 0
  const cable = async () => {
    const name = `v${cables++}`
    await red.links.create({ kind: 'veth', name, up: true, ipv6LinkLocal: 'none', peer: { name, in: blue } })
    await blue.links.change(name, { up: true, ipv6LinkLocal: 'none' })
    return name
  }
  const blast = (name, rate, time) => blaster.ask(`blast ${name} ${size} ${rate} ${time}`)

  /** CPU time of a program while frames come. It is not asked before it had time to see the last of them. */
  const measured =
    (program, name, rate = perSecond, time = milliseconds) =>
    async () => {
      const before = await program.ask('count')
      const start = program.runTime()
      const sent = await blast(name, rate, time)
      await sleep(60)
      const cpuNs = program.runTime() - start
      const after = await program.ask('count')
      const frames = after.frames - before.frames
      return {
        frames,
        cpuNs,
        sent: sent.frames,
        lost: 1 - frames / sent.frames,
        dropped: after.dropped - before.dropped,
      }
    }

  const candidates = {}
  for (const mode of ['walk', 'copy']) {
    const name = await cable()
    candidates[mode] = measured(await lab.floor(blue, [mode, name], floor), name)
  }
  for (const mode of ways) {
    const name = await cable()
    candidates[mode] = measured(await lab.node(blue, 'capture', [mode, name]), name)
  }
  for (const [program, args, ready] of [
    ['tcpdump', ['-n', '-w', '/dev/null', '-B', '32768', '-Z', 'root', '-i'], 'listening'],
    ['dumpcap', ['-q', '-w', '/dev/null', '-B', '32', '-i'], 'File'],
  ]) {
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0) {
      say(`${program} is left out: it is not installed`)
      continue
    }
    const name = await cable()
    const other = await lab.watcher(blue, program, [...args, name], ready)
    candidates[program] = async () => {
      const start = other.runTime()
      const sent = await blast(name, perSecond, milliseconds)
      await sleep(60)
      return { frames: sent.frames, cpuNs: other.runTime() - start, lost: 0 }
    }
  }
  for (const [rival, version] of Object.entries(rivals)) {
    try {
      const folder = await install(rival, version, say)
      const name = await cable()
      candidates[rival] = measured(await lab.node(blue, 'capture-rival', [rival, folder, name]), name)
    } catch (error) {
      say(
        `npm ${rival} is left out (it needs libpcap-dev and g++): ${`${error.stderr || error.message}`.split('\n')[0]}`,
      )
    }
  }
  const results = await interleave(rounds, 2, candidates)
  const compare = (ours, other, target = {}) =>
    finding({
      measure: `${ours}: CPU per frame of ${size} B, to ${other}`,
      unit: 'ns',
      figures: results[ours].map(cpuPerFrame),
      floor: results[other].map(cpuPerFrame),
      ...target,
    })
  const figure = (name, most) =>
    finding({
      measure: `${name}: CPU per frame of ${size} B`,
      unit: 'ns',
      figures: results[name].map(cpuPerFrame),
      most,
    })
  const findings = [
    figure('batch', 50),
    figure('frames', 200),
    compare('batch', 'walk'),
    compare('batch', 'copy'),
    compare('look', 'copy'),
    compare('packets', 'copy'),
    compare('file', 'walk'),
  ]
  if (results.tcpdump) findings.push(compare('file', 'tcpdump', { most: 1 }))
  if (results.dumpcap) findings.push(compare('file', 'dumpcap'))
  if (results.pcap) findings.push(compare('batch', 'pcap', { most: 0.25 }))
  if (results.cap) findings.push(compare('batch', 'cap', { most: 0.25 }))
  findings.push(
    finding({
      measure: 'tuple: addresses, ports and protocol of each frame, CPU more than frames',
      unit: 'ns',
      figures: results.tuple.map((result, i) => cpuPerFrame(result) - cpuPerFrame(results.frames[i])),
      most: 30,
    }),
    finding({
      measure: 'the same, CPU more than batch',
      unit: 'ns',
      figures: results.tuple.map((result, i) => cpuPerFrame(result) - cpuPerFrame(results.batch[i])),
    }),
    finding({
      measure: `lost at ${perSecond / 1000} k/s, of all ways of ours`,
      unit: '%',
      figures: ways.flatMap(way => results[way].map(({ lost }) => 100 * lost)),
      most: 0,
    }),
  )
  if (results.cap) {
    findings.push(
      finding({
        measure: 'the same, of npm cap',
        unit: '%',
        figures: results.cap.map(({ lost }) => 100 * lost),
      }),
    )
  }

  const name = await cable()
  const worker = await lab.node(blue, 'capture', ['work', name])
  const busy = await interleave(rounds, 1, {
    work: async () => {
      await worker.ask('late')
      const result = await measured(worker, name, 100_000, 1000)()
      return { ...result, ...(await worker.ask('late')) }
    },
  })
  findings.push(
    finding({
      measure: '3 µs of work a frame at 100 k/s: lost',
      unit: '%',
      figures: busy.work.map(({ lost }) => 100 * lost),
      most: 0,
    }),
    finding({
      measure: 'the same: a timer of 10 ms is late, p99.9',
      unit: 'ms',
      figures: busy.work.map(({ late }) => late),
      most: 5,
    }),
  )
  say(`measured on core ${measuredCore}`)
  return findings
}
