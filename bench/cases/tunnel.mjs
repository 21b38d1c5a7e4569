import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { finding } from '../harness/finding.mjs'
import { iperf } from '../harness/iperf.mjs'
import { loadCore, measuredCore } from '../harness/machine.mjs'
import { interleave } from '../harness/rounds.mjs'

const seconds = 2
const program = fileURLToPath(new URL('../../examples/tunnel.mjs', import.meta.url))
const cores = [measuredCore, loadCore]
const addresses = ['10.0.0.1', '10.0.0.2']
const inside = ['10.77.0.1', '10.77.0.2']
const port = '5182'

/**
 * Two hosts with a core each and a cable between them, for each tunnel; iperf3 (TCP, one stream) runs through the tunnel.
 * CPU time is that of both ends of the tunnel.
 */
export async function tunnel({ lab, rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
  try {
    const candidates = { ours: await prepare(lab, ends => ours(lab, ends)) }
    const findings = []
    for (const [name, { open }] of Object.entries(rivals)) {
      try {
        candidates[name] = await prepare(lab, ends => open(lab, ends, folder))
      } catch (error) {
        findings.push({ measure: name, note: `not measured: ${error.message.trim().split('\n')[0]}` })
      }
    }
    const results = await interleave(rounds, 1, candidates)
    const retransmits = name => results[name].map(result => result.retransmits)
    findings.push(finding({ measure: 'retransmits', unit: '', figures: retransmits('ours') }))
    for (const [name, { least }] of Object.entries(rivals)) {
      if (!results[name]) continue
      findings.push(...compared(name, results.ours, results[name], least))
      findings.push(finding({ measure: `… retransmits of ${name}`, unit: '', figures: retransmits(name) }))
    }
    return findings
  } finally {
    rmSync(folder, { recursive: true })
    for (const i of [0, 1]) rmSync(`/var/run/wireguard/${wireguardName(i)}.sock`, { force: true })
  }
}

const rivals = { 'wireguard-go': { open: wireguard, least: 1.5 }, openvpn: { open: openvpn, least: 3 } }

function compared(name, ours, theirs, least) {
  const cpuPerGigabyte = result => result.cpuNs / result.bytes
  return [
    finding({
      measure: `throughput, to ${name}`,
      unit: 'Gb/s',
      figures: ours.map(result => result.bitsPerSecond / 1e9),
      floor: theirs.map(result => result.bitsPerSecond / 1e9),
      least,
    }),
    finding({
      measure: `CPU per GB, both ends, to ${name}`,
      unit: 's',
      figures: ours.map(cpuPerGigabyte),
      floor: theirs.map(cpuPerGigabyte),
    }),
  ]
}

/** Hosts, cable, tunnel and server; how it is measured. */
async function prepare(lab, open) {
  const networks = [await lab.network(), await lab.network()]
  await networks[0].links.create({ kind: 'veth', name: 'v', peer: { name: 'v', in: networks[1] } })
  const ends = []
  for (const [i, network] of networks.entries()) {
    await network.links.change('v', { up: true })
    await network.addresses.create({ link: 'v', address: `${addresses[i]}/24`, dad: 'skip' })
    ends.push({ i, network, core: cores[i], remote: addresses[1 - i] })
  }
  const programs = await open(ends)
  const [near, far] = networks
  await lab.run(near, 'ping', ['-c1', '-w10', inside[1]])
  await lab.daemon(far, 'iperf3', ['-s', '--forceflush'], { ready: 'Server listening', core: cores[1] })
  return async () => {
    const runTime = () => programs.reduce((sum, each) => sum + each.runTime(), 0)
    const before = runTime()
    const end = await iperf(lab, near, inside[1], ['-t', `${seconds}`], { core: cores[0] })
    return {
      cpuNs: runTime() - before,
      bytes: end.sum_received.bytes,
      bitsPerSecond: end.sum_received.bits_per_second,
      retransmits: end.sum_sent.retransmits,
    }
  }
}

async function ours(lab, ends) {
  const env = { ...process.env, SECRET: 'known to both' }
  const programs = []
  for (const { i, network, core, remote } of ends) {
    const args = [program, `${inside[i]}/24`, port, ...(i === 1 ? [remote, port] : [])]
    programs.push(await lab.daemon(network, process.execPath, args, { ready: 'is up', core, env }))
  }
  return programs
}

/** Its socket is in the file system, which the networks share. */
const wireguardName = i => `nlb${process.pid}${'ab'[i]}`

async function wireguard(lab, ends, folder) {
  const keys = []
  for (const { network } of ends) {
    const secret = (await lab.run(network, 'wg', ['genkey'])).trim()
    const known = (await lab.run(network, 'wg', ['pubkey'], { input: secret })).trim()
    keys.push({ secret, known })
  }
  const programs = []
  for (const { i, network, core, remote } of ends) {
    const name = wireguardName(i)
    const env = { ...process.env, WG_PROCESS_FOREGROUND: '1', LOG_LEVEL: 'verbose' }
    programs.push(
      await lab.daemon(network, 'wireguard-go', ['-f', name], { ready: 'UAPI listener started', core, env }),
    )
    const file = join(folder, name)
    writeFileSync(
      file,
      `[Interface]
PrivateKey = ${keys[i].secret}
ListenPort = ${port}
[Peer]
PublicKey = ${keys[1 - i].known}
Endpoint = ${remote}:${port}
AllowedIPs = 10.77.0.0/24
`,
      { mode: 0o600 },
    )
    await lab.run(network, 'wg', ['setconf', name, file])
    await network.links.change(name, { up: true, mtu: 1420 })
    await network.addresses.create({ link: name, address: `${inside[i]}/24`, dad: 'skip' })
  }
  return programs
}

/** As it is set up today: no static key, an AEAD cipher, certificates that are known by their fingerprints. */
async function openvpn(lab, ends, folder) {
  const files = []
  for (const { i, network } of ends) {
    const [key, certificate] = ['key', 'crt'].map(kind => join(folder, `${i}.${kind}`))
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const made = [
      'req',
      '-x509',
      ...curve,
      '-keyout',
      key,
      '-out',
      certificate,
      '-days',
      '2',
      '-subj',
      `/CN=${i}`,
    ]
    await lab.run(network, 'openssl', made)
    const printed = await lab.run(network, 'openssl', [
      'x509',
      '-noout',
      '-sha256',
      '-fingerprint',
      '-in',
      certificate,
    ])
    files.push({ key, certificate, fingerprint: printed.trim().split('=')[1] })
  }
  const programs = []
  for (const { i, network, core, remote } of ends) {
    const options = {
      dev: 'tun0',
      'dev-type': 'tun',
      topology: 'p2p',
      proto: 'udp',
      port,
      remote,
      ifconfig: `${inside[i]} ${inside[1 - i]}`,
      cert: files[i].certificate,
      key: files[i].key,
      'peer-fingerprint': files[1 - i].fingerprint,
      'data-ciphers': 'CHACHA20-POLY1305',
      ...(i === 0 ? { 'tls-server': '', dh: 'none' } : { 'tls-client': '' }),
      'disable-dco': '',
    }
    const file = join(folder, `${i}.ovpn`)
    writeFileSync(
      file,
      Object.entries(options)
        .map(option => `${option.join(' ')}\n`)
        .join(''),
    )
    programs.push(
      await lab.daemon(network, 'openvpn', ['--config', file], { ready: 'TUN/TAP device tun0 opened', core }),
    )
  }
  return programs
}
