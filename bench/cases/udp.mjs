import { cpuPerFrame, finding, framesPerCpuSecond } from '../harness/finding.mjs'
import { interleave } from '../harness/rounds.mjs'

const size = 1400
/** Joined datagrams cost a tenth, and what the compiler does for them is not to be most of it. */
const sent = { singly: 64_000, joined: 512_000 }
const received = { singly: 40_000, joined: 400_000 }
const atOnce = 5000
const port = 7000

/** Two hosts by a veth pair: one side is measured, the other sends or throws away. */
export async function udp({ lab, rounds }) {
  const near = await lab.network()
  const far = await lab.network()
  await near.links.create({ kind: 'veth', name: 'v', up: true, peer: { name: 'v', in: far } })
  await far.links.change('v', { up: true })
  await near.addresses.create({ link: 'v', address: '10.0.0.1/24' })
  await far.addresses.create({ link: 'v', address: '10.0.0.2/24' })
  const source = 'udp_floor'
  // Of the same flows each has its port.
  const programs = {
    c: [await lab.floor(near, [`${port}`], { source }), port],
    ours: [await lab.node(near, 'udp', ['ours', `${port + 1}`]), port + 1],
    dgram: [await lab.node(near, 'udp', ['dgram', `${port + 2}`]), port + 2],
  }
  // Bound and never read: what comes is dropped once its buffer is full.
  const sink = await lab.floor(far, [`${port}`], { source })
  const findings = []
  const warm = async ([program, to]) => {
    let done = false
    const answer = program.ask(`warm 10.0.0.2 ${port}`).finally(() => {
      done = true
    })
    while (!done) await sink.ask(`send 1000 64 10.0.0.1 ${to} 0`)
    await answer
  }
  for (const join of [1, 0]) {
    const how = join ? 'joined' : 'singly'
    await programs.ours[0].ask(`use ${join}`)
    await warm(programs.ours, sink)
    const sending = await interleave(rounds * 2, 3, {
      c: () => programs.c[0].ask(`send ${sent[how]} ${size} 10.0.0.2 ${port} ${join}`),
      ours: () => programs.ours[0].ask(`send ${sent[how]} ${size} 10.0.0.2 ${port}`),
      ...(join || { dgram: () => programs.dgram[0].ask(`send ${sent[how] / 4} ${size} 10.0.0.2 ${port}`) }),
    })
    const receive = async ([program, to]) => {
      const answer = program.ask(`receive ${received[how]} ${join}`)
      let done = false
      const counting = answer.finally(() => {
        done = true
      })
      // Sent again and again until enough came through.
      while (!done) await sink.ask(`send ${atOnce} ${size} 10.0.0.1 ${to} ${join}`)
      return counting
    }
    const receiving = await interleave(rounds * 2, 3, {
      c: () => receive(programs.c),
      ours: () => receive(programs.ours),
      ...(join || { dgram: () => receive(programs.dgram) }),
    })
    for (const [verb, results] of [
      ['send', sending],
      ['receive', receiving],
    ]) {
      findings.push(
        finding({
          measure: `${verb} ${how}: datagrams per CPU second, to C`,
          unit: '/s',
          figures: results.ours.map(framesPerCpuSecond),
          floor: results.c.map(framesPerCpuSecond),
          least: 0.95,
        }),
        finding({
          measure: `${verb} ${how}: CPU per datagram, to C`,
          unit: 'ns',
          figures: results.ours.map(cpuPerFrame),
          floor: results.c.map(cpuPerFrame),
        }),
      )
      if (!results.dgram) continue
      findings.push(
        finding({
          measure: `${verb} ${how}: datagrams per CPU second, to node:dgram`,
          unit: '/s',
          figures: results.ours.map(framesPerCpuSecond),
          floor: results.dgram.map(framesPerCpuSecond),
        }),
      )
    }
    if (join) programs.joined = { sending, receiving }
    else {
      for (const [verb, mine, theirs] of [
        ['send', programs.joined.sending, sending],
        ['receive', programs.joined.receiving, receiving],
      ]) {
        findings.push(
          finding({
            measure: `${verb} joined, to node:dgram: datagrams per CPU second`,
            unit: '/s',
            figures: mine.ours.map(framesPerCpuSecond),
            floor: theirs.dgram.map(framesPerCpuSecond),
            least: 5,
          }),
        )
      }
    }
  }
  return findings
}
