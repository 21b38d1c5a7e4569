import { extensionBase, extensions, type Instruction } from './instruction.js'

const extensionNames = new Map<number, string>(
  Object.entries({
    protocol: 'proto',
    packetType: 'type',
    interfaceIndex: 'ifidx',
    netlink: 'nla',
    nestedNetlink: 'nlan',
    mark: 'mark',
    queue: 'queue',
    hardwareType: 'hatype',
    receiveHash: 'rxhash',
    processor: 'cpu',
    xorX: 'xor_x',
    vlanTag: 'vlan_tci',
    vlanTagPresent: 'vlanp',
    payloadOffset: 'pay',
    random: 'random',
    vlanProtocol: 'vlan_tpid',
  } satisfies Record<keyof typeof extensions, string>).map(([name, text]) => [
    extensions[name as keyof typeof extensions],
    text,
  ]),
)

const branches: Readonly<Record<number, string>> = { 1: 'jeq', 2: 'jgt', 3: 'jge', 4: 'jset' }
const arithmetics: Readonly<Record<number, string>> = {
  0: 'add',
  1: 'sub',
  2: 'mul',
  3: 'div',
  4: 'or',
  5: 'and',
  6: 'lsh',
  7: 'rsh',
  9: 'mod',
  10: 'xor',
}

/** The program as `tcpdump -d` shows programs: one instruction a line, branches by the number of their target. */
export function printProgram(program: readonly Instruction[]): string {
  return program.map((one, at) => `(${String(at).padStart(3, '0')}) ${printInstruction(one, at)}`).join('\n')
}

function printInstruction({ code, jt, jf, k }: Instruction, at: number): string {
  const type = code & 7
  const line = (name: string, operand = '') => `${name.padEnd(8)} ${operand}`
  if (code === 0x05) return line('ja', String(at + 1 + k))
  if (type === 5) {
    const operand = (code & 8) === 0 ? hexadecimal(k) : 'x'
    const name = branches[code >> 4] ?? 'unimp'
    return `${line(name, operand.padEnd(16))} jt ${at + 1 + jt}\tjf ${at + 1 + jf}`
  }
  if (type === 4) {
    if (code === 0x84) return line('neg')
    const name = arithmetics[code >> 4] ?? 'unimp'
    if ((code & 8) !== 0) return line(name, 'x')
    return line(name, ['or', 'and', 'xor'].includes(name) ? hexadecimal(k) : `#${k}`)
  }
  const size = ['', 'h', 'b'][(code >> 3) & 3]
  switch (code) {
    case 0x20:
    case 0x28:
    case 0x30: {
      const name = k >= extensionBase ? extensionNames.get(k - extensionBase) : undefined
      return line(`ld${size}`, `[${name ?? k}]`)
    }
    case 0x40:
    case 0x48:
    case 0x50:
      return line(`ld${size}`, `[x + ${k}]`)
    case 0x00:
      return line('ld', hexadecimal(k))
    case 0x01:
      return line('ldx', hexadecimal(k))
    case 0x80:
      return line('ld', '#pktlen')
    case 0x81:
      return line('ldx', '#pktlen')
    case 0x60:
      return line('ld', `M[${k}]`)
    case 0x61:
      return line('ldx', `M[${k}]`)
    case 0xb1:
      return line('ldxb', `4*([${k}]&0xf)`)
    case 0x02:
      return line('st', `M[${k}]`)
    case 0x03:
      return line('stx', `M[${k}]`)
    case 0x06:
      return line('ret', `#${k}`)
    case 0x16:
      return line('ret')
    case 0x07:
      return line('tax')
    case 0x87:
      return line('txa')
    default:
      return line('unimp', `0x${code.toString(16)}`)
  }
}

function hexadecimal(number: number): string {
  return `#0x${number.toString(16)}`
}
