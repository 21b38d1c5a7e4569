// Runs test files, each in a process of its own, and shows what became of them.
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { TapReport } from './tap-report.mjs'

const loader = new URL('typescript.mjs', import.meta.url).href
// A file that hangs must end some day; one that is slow on a busy machine need not.
const patience = 1200
// What a test says of itself when it takes too long comes first.
const graceSeconds = 20

// A network and names of network namespaces of its own, so that two files do not meet in the machine's, and none changes it.
const isolate = [
  'unshare',
  '--net',
  '--mount',
  'sh',
  '-ec',
  'mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns; ip link set lo up; exec "$@"',
  'sh',
]

/** Whether this process may give each file a network of its own. */
export function canIsolate() {
  return spawnSync(isolate[0], [...isolate.slice(1), 'true']).status === 0
}

/**
 * Gives how many assertions passed and failed, how many tests were left out, and the reasons of these. `onLine` sees
 * all that the files print. `isolated`: each file has a network of its own.
 */
export async function testFiles(
  files,
  { jobs = 1, isolated = false, cwd, env, timeoutSeconds = patience, onLine = () => {} } = {},
) {
  const totals = { passed: 0, failed: 0, skipped: 0, reasons: new Map() }
  const left = files.values()
  const work = async () => {
    for (const file of left) {
      const report = await testFile(file, { isolated, cwd, env, timeoutSeconds, onLine })
      for (const name of ['passed', 'failed', 'skipped']) totals[name] += report[name]
      for (const [reason, times] of report.reasons)
        totals.reasons.set(reason, (totals.reasons.get(reason) ?? 0) + times)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return totals
}

async function testFile(file, { isolated, cwd, env, timeoutSeconds, onLine }) {
  const report = new TapReport(file, text => console.log(text))
  const began = performance.now()
  const [command, ...args] = [...(isolated ? isolate : []), process.execPath, '--import', loader, file]
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: `${timeoutSeconds}`, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve, reject) => {
    child.on('exit', (code, signal) => resolve(signal ?? code)).on('error', reject)
  })
  const killer = setTimeout(() => child.kill('SIGKILL'), (timeoutSeconds + graceSeconds) * 1000)
  const lines = createInterface({ input: child.stdout })
  let left
  // What it started, and left running, may hold its output open.
  const rest = ended.then(() => {
    left = setTimeout(() => lines.close(), graceSeconds * 1000)
  })
  for await (const line of lines) {
    onLine(line)
    report.line(line)
  }
  let how = await ended
  await rest
  clearTimeout(killer)
  clearTimeout(left)
  if (!child.stdout.readableEnded) {
    child.stdout.destroy()
    how = 'something that it started still running'
  }
  report.end(how, performance.now() - began)
  return report
}
