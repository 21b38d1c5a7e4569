import type { DnsMessage, DnsResource } from './dns.js'
import { printableText } from './printable.js'

const utf8 = new TextDecoder()

/** A message may have thousands. */
const mostShown = 12

/**
 * In the manner of tcpdump, for a message of `length` bytes: `12345+ A? example.org. (29)` and
 * `12345 1/0/0 A 192.0.2.1 (45)`. The signs behind the number: `+` recursion desired, `%` checking disabled; of
 * responses `*` authoritative, `-` recursion not available, `|` truncated, `$` authentic data.
 */
export function describeDns(message: DnsMessage, length: number): string {
  const { id, opcode, questions, answers, authorities, additionals } = message
  const isResponse = message.type === 'response'
  const counts = [answers.length, authorities.length, additionals.length]
  let text = `dns ${id}${isResponse ? responseSigns(message) : querySigns(message)}`
  if (opcode !== 'QUERY') text += ` ${printableText(opcode)}`
  if (isResponse) {
    if (message.responseCode !== 'NOERROR') text += ` ${printableText(message.responseCode)}`
    if (questions.length !== 1) text += ` [${questions.length}q]`
    text += ` ${counts.join('/')}`
    text += list(answers, describeResource)
  } else {
    const marks = ['a', 'n', 'au']
    counts.forEach((count, i) => {
      if (count > 0) text += ` [${count}${marks[i]}]`
    })
    text += list(questions, ({ name, type, class: of, unicastResponse }) => {
      const kind = `${printableText(type)}${of === 'IN' ? '' : ` ${printableText(of)}`}`
      return `${kind}${unicastResponse ? ' (QU)' : ''}? ${domain(name)}`
    })
  }
  return `${text} (${length})`
}

function querySigns(message: DnsMessage): string {
  return (message.recursionDesired ? '+' : '') + (message.checkingDisabled ? '%' : '')
}

function responseSigns(message: DnsMessage): string {
  return (
    (message.authoritative ? '*' : '') +
    (message.recursionAvailable ? '' : '-') +
    (message.truncated ? '|' : '') +
    (message.authenticData ? '$' : '')
  )
}

function list<T>(all: readonly T[], show: (each: T) => string, separator = ', '): string {
  const shown = all.slice(0, mostShown).map(show)
  if (shown.length < all.length) shown.push('…')
  return shown.length === 0 ? '' : ` ${shown.join(separator)}`
}

function describeResource(resource: DnsResource): string {
  if (resource.type === 'OPT') return `OPT UDPsize=${resource.udpPayloadSize}`
  const flush = resource.cacheFlush ? '(Cache flush) ' : ''
  const of = resource.class === 'IN' ? '' : `${printableText(resource.class)} `
  return `${flush}${of}${printableText(resource.type)}${describeData(resource)}`
}

function describeData(resource: DnsResource): string {
  switch (resource.type) {
    case 'A':
    case 'AAAA':
      return ` ${resource.data}`
    case 'CNAME':
    case 'DNAME':
    case 'NS':
    case 'PTR':
      return ` ${domain(resource.data)}`
    case 'MX':
      return ` ${domain(resource.data.exchange)} ${resource.data.preference}`
    case 'SRV': {
      const { target, port, priority, weight } = resource.data
      return ` ${domain(target)}:${port} ${priority} ${weight}`
    }
    case 'TXT':
      return list(resource.data, bytes => `"${printableText(utf8.decode(bytes))}"`, ' ')
    default:
      return ''
  }
}

/** With the dot at its end. */
function domain(name: string): string {
  return name === '.' ? name : `${printableText(name)}.`
}
