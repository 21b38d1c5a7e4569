// Runs a command under another kernel, with this machine's files; what it writes is lost. As user-mode Linux
// (Debian: user-mode-linux) the kernel is a program; under QEMU (qemu-system-x86) it is a package for machines
// (linux-image-…-cloud-amd64) that was unpacked (dpkg-deb -x), with its list of modules made (depmod -b), into
// $NETLOOM_GUEST_KERNEL.
//   node test/support/guest/guest.mjs uml|qemu SECONDS COMMAND
// prints what the command prints and ends as it does; with 125 if the kernel gave up or the time was over.
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const virtiofsd = '/usr/lib/qemu/virtiofsd'

/** The kernels that tests can be run under. */
export const guests = {
  uml: { title: 'user-mode Linux', programs: ['linux.uml', 'unshare', 'modprobe'] },
  qemu: { title: 'QEMU', programs: ['qemu-system-x86_64', virtiofsd, 'unshare', 'modprobe'] },
}

/** True, or why a guest cannot be started here. */
export function canRunGuest(name) {
  if (process.platform !== 'linux') return 'not Linux'
  if (process.getuid() !== 0) return 'needs root'
  const missing = guests[name].programs.filter(program => !isExecutable(program))
  if (missing.length > 0) return `${missing.join(', ')} missing`
  if (name === 'qemu' && !kernelFiles()) return 'no kernel in $NETLOOM_GUEST_KERNEL'
  return true
}

/** Starts a guest; the child's output is the command's. What it leaves in `directory` goes when it has ended. */
export function startGuest(name, seconds, command) {
  const directory = mkdtempSync(join(tmpdir(), 'netloom-guest-'))
  writeFileSync(join(directory, 'command'), `cd '${process.cwd()}'\n${command}\n`)
  const [program, ...args] = name === 'uml' ? umlCommand(directory) : qemuCommand(directory)
  // In a process namespace of its own, of which nothing is left when its first process ends. 3 and 4 are the
  // command's output, as pipes (QEMU takes no sockets, which Node would give), 5 is its status, and what the kernel
  // says itself is kept for the case that there is none.
  const script = `${name === 'qemu' ? fileServer(directory) : ''}
    { "$@" 3>&6 4>&1 5>"$run/status" >"$run/log" 2>&1 | cat >&2; } 6>&1 | cat`
  const child = spawn(
    'timeout',
    [
      '-s',
      'KILL',
      `${seconds}`,
      'unshare',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      `run=$1; shift; ${script}`,
    ].concat('sh', directory, program, args),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      const status = /\d+/.exec(readText(join(directory, 'status')))
      const log = readText(join(directory, 'log')).split('\n').slice(-30).join('\n')
      rmSync(directory, { recursive: true, force: true })
      resolve({ code: status ? Number(status[0]) : 125, log: status ? '' : log })
    })
  })
  return { stdout: child.stdout, stderr: child.stderr, ended }
}

function umlCommand(directory) {
  const modules = join('/usr/lib/uml/modules', readdirSync('/usr/lib/uml/modules')[0])
  return [
    'linux.uml',
    'mem=1G',
    'root=/dev/root',
    'rootfstype=hostfs',
    'rootflags=/',
    ...kernelArguments(directory, modules, 'ttyS'),
    `uml_dir=${directory}`,
    'con=null',
    'con0=null,fd:1',
    'ssl=null',
    'ssl0=null,fd:3',
    'ssl1=null,fd:4',
    'ssl2=null,fd:5',
  ]
}

function qemuCommand(directory) {
  const { kernel, modules } = kernelFiles()
  const ports = [0, 1, 2].flatMap(i => [
    ...['-add-fd', `fd=${i + 3},set=${i}`],
    ...['-chardev', `file,id=port${i},path=/dev/fdset/${i},append=on`],
    ...['-device', `virtserialport,chardev=port${i},name=${i}`],
  ])
  const append = [...kernelArguments(directory, modules, 'port'), 'root=host', 'rootfstype=virtiofs']
  return [
    'qemu-system-x86_64',
    ...['-accel', 'tcg,thread=multi', '-cpu', 'qemu64', '-smp', '2', '-m', '1G'],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...['-object', 'memory-backend-memfd,id=memory,size=1G,share=on', '-numa', 'node,memdev=memory'],
    ...['-chardev', `socket,id=files,path=${directory}/files`],
    ...['-device', 'vhost-user-fs-pci,chardev=files,tag=host', '-device', 'virtio-serial-pci'],
    ...ports,
    ...['-kernel', kernel, '-append', `${append.join(' ')} console=ttyS0`],
  ]
}

function kernelArguments(directory, modules, port) {
  const init = fileURLToPath(new URL('init.sh', import.meta.url))
  const own = [`GUEST_RUN=${directory}`, `GUEST_MODULES=${modules}`, `GUEST_PORT=${port}`]
  return ['ro', `init=${init}`, 'quiet', 'panic=-1', ...own]
}

// QEMU looks for the socket once; the server makes it when it is ready.
function fileServer(directory) {
  const socket = `${directory}/files`
  return `${virtiofsd} --socket-path=${socket} -o source=/,cache=always,sandbox=chroot -f >/dev/null 2>&1 &
    while ! [ -S ${socket} ]; do sleep 0.05; done;`
}

function kernelFiles() {
  const root = process.env.NETLOOM_GUEST_KERNEL
  if (!root) return undefined
  try {
    const kernel = readdirSync(join(root, 'boot')).find(name => name.startsWith('vmlinuz'))
    const [release] = readdirSync(join(root, 'lib/modules'))
    return { kernel: join(root, 'boot', kernel), modules: join(root, 'lib/modules', release) }
  } catch {
    return undefined
  }
}

function isExecutable(program) {
  const places = program.startsWith('/') ? [''] : (process.env.PATH ?? '').split(':')
  return places.some(place => {
    try {
      accessSync(join(place, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, seconds, ...words] = process.argv.slice(2)
  const { stdout, stderr, ended } = startGuest(name, Number(seconds), words.join(' '))
  stdout.pipe(process.stdout)
  stderr.pipe(process.stderr)
  const { code, log } = await ended
  if (log) console.error(log)
  process.exitCode = code
}
