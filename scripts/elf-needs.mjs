// Reads what a 64-bit little-endian ELF file needs at run time (see elf(5) and `man ld.so`), as `readelf -dV`
// would print it: a machine that builds a release may lack binutils.

const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT_NEEDED = 1n
const DT_STRTAB = 5n
const DT_VERNEED = 0x6ffffffen
const DT_VERNEEDNUM = 0x6fffffffn

/** The libraries that the file names, and the symbol versions that it wants of each. */
export function readElfNeeds(file) {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error('not a 64-bit little-endian ELF file')
  }
  const segments = readSegments(file)
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  if (!dynamic) throw new Error('not dynamically linked')
  const entries = readDynamic(file, dynamic)
  const value = tag => entries.find(entry => entry.tag === tag)?.value
  const strings = fileOffset(segments, value(DT_STRTAB))
  const text = at => file.toString('latin1', strings + at, file.indexOf(0, strings + at))
  const needed = entries.filter(({ tag }) => tag === DT_NEEDED).map(({ value }) => text(Number(value)))
  const versions = []
  let record = value(DT_VERNEED) === undefined ? 0 : fileOffset(segments, value(DT_VERNEED))
  for (let left = Number(value(DT_VERNEEDNUM) ?? 0n); left > 0; left--) {
    const library = text(file.readUInt32LE(record + 4))
    let auxiliary = record + file.readUInt32LE(record + 8)
    for (let i = file.readUInt16LE(record + 2); i > 0; i--) {
      versions.push({ library, version: text(file.readUInt32LE(auxiliary + 8)) })
      auxiliary += file.readUInt32LE(auxiliary + 12)
    }
    record += file.readUInt32LE(record + 12)
  }
  return { needed, versions }
}

function readSegments(file) {
  const start = Number(file.readBigUInt64LE(32))
  const size = file.readUInt16LE(54)
  return Array.from({ length: file.readUInt16LE(56) }, (_, i) => {
    const at = start + i * size
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      size: Number(file.readBigUInt64LE(at + 32)),
    }
  })
}

function readDynamic(file, { offset, size }) {
  const entries = []
  for (let at = offset; at < offset + size; at += 16) {
    const tag = file.readBigUInt64LE(at)
    if (tag === 0n) break
    entries.push({ tag, value: file.readBigUInt64LE(at + 8) })
  }
  return entries
}

function fileOffset(segments, address) {
  const at = Number(address)
  const segment = segments.find(s => s.type === PT_LOAD && at >= s.address && at < s.address + s.size)
  if (!segment) throw new Error(`no segment holds address ${at}`)
  return at - segment.address + segment.offset
}
