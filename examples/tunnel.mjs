// A VPN of two hosts: packets of a TUN device travel in UDP datagrams, sealed with ChaCha20-Poly1305, and come out of
// the other's. The keys of a session are agreed upon anew at every start (X25519); a text that both know says who may.
// Either side may change its address, or start again. `npm install netloom sodium-native`, then as root:
//
//   SECRET=… node tunnel.mjs 10.9.0.1/24,fd09::1/64 51820
//   SECRET=… node tunnel.mjs 10.9.0.2/24,fd09::2/64 51820 192.0.2.1 51820
//
// Each datagram: type (4 bytes), session (4), counter (8), the sealed packet, its tag (16). The session chooses the key and the
// counter is the nonce, so that a header that was changed opens nothing. Super-frames of the device are cut as they come, and
// joined as they go: that makes the tunnel twice as fast. Why sodium-native: bench/README.md.
import crypto from 'node:crypto'
import { FrameBatch, Tun } from 'netloom'
import { Endpoint, UdpSocket } from 'netloom/udp'
import sodium from 'sodium-native'

const [addresses = '10.9.0.1/24', port = '51820', host, hostPort = port] = process.argv.slice(2)
if (!process.env.SECRET) throw new Error('SECRET is not set')
const secret = crypto.scryptSync(process.env.SECRET, 'netloom tunnel', 32)

const [hello, answer, sealed, unknown] = [1, 2, 3, 4]
const headerLength = 16
const tagLength = 16
const mtu = 1500 - 40 - 8 - headerLength - tagLength // of Ethernet, less IPv6 and UDP
const helloEveryMs = 1000
const sessionMs = 120_000
const silentMs = 5000

// --- Sessions: what both ends derive from their two temporary keys -------------------------------------------------

/** Which counters were seen, of the last 1024: a datagram is taken once. */
class Window {
  #seen = new Uint8Array(1024)
  #next = 0

  accepts(counter) {
    return counter >= this.#next || (counter >= this.#next - 1024 && this.#seen[counter & 1023] === 0)
  }

  /** True if it is the newest. */
  take(counter) {
    const newest = counter >= this.#next
    for (; this.#next <= counter; this.#next++) {
      if (counter - this.#next < 1024) this.#seen[this.#next & 1023] = 0
    }
    this.#seen[counter & 1023] = 1
    return newest
  }
}

class Session {
  endpoint
  id
  made = performance.now()
  heard = this.made
  #sealKey
  #openKey
  #counter = 0
  #window = new Window()
  #nonce = new Uint8Array(12)
  #counterBytes = this.#nonce.subarray(4)
  #nonceView = new DataView(this.#nonce.buffer)

  constructor(shared, first, second, isFirst, endpoint) {
    const info = Buffer.concat([first, second])
    const keys = Buffer.from(crypto.hkdfSync('sha256', shared, secret, info, 68))
    this.id = keys.readUInt32LE(64)
    this.#sealKey = isFirst ? keys.subarray(0, 32) : keys.subarray(32, 64)
    this.#openKey = isFirst ? keys.subarray(32, 64) : keys.subarray(0, 32)
    this.endpoint = endpoint
  }

  #setNonce(low, high) {
    this.#nonceView.setUint32(4, low, true)
    this.#nonceView.setUint32(8, high, true)
  }

  /** Into `to`, which has room for header and tag; `view` is of the memory that it lies in. */
  seal(packet, to, view) {
    view.setUint32(to.byteOffset, sealed, true)
    view.setUint32(to.byteOffset + 4, this.id, true)
    this.#setNonce(this.#counter % 2 ** 32, Math.floor(this.#counter / 2 ** 32))
    to.set(this.#counterBytes, 8)
    this.#counter++
    const body = to.subarray(headerLength)
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(body, packet, null, null, this.#nonce, this.#sealKey)
  }

  /** The packet into `batch`; false for what is not the other's, or was taken before. */
  open(datagram, view, endpoint, batch) {
    const low = view.getUint32(datagram.byteOffset + 8, true)
    const high = view.getUint32(datagram.byteOffset + 12, true)
    const counter = high * 2 ** 32 + low
    if (!this.#window.accepts(counter)) return false
    this.#setNonce(low, high)
    const body = datagram.subarray(headerLength)
    const packet = batch.reserve(body.length - tagLength)
    try {
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(packet, null, body, null, this.#nonce, this.#openKey)
    } catch {
      batch.drop()
      return false
    }
    // What is empty says only that the session is in use.
    if (packet.length === 0) batch.drop()
    this.heard = performance.now()
    if (this.#window.take(counter)) this.endpoint = endpoint
    return true
  }
}

const sessions = new Map()
let current

/** The oldest go: of most that are only offered nothing comes. */
function add(session) {
  sessions.set(session.id, session)
  for (const [id, each] of sessions) if (sessions.size > 4 && each !== current) sessions.delete(id)
}

function use(session) {
  console.log(`in session with ${session.endpoint}`)
  current = session
}

// --- Handshake: two messages, each with a temporary key and a proof of the secret ----------------------------------

function temporaryKey() {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('x25519')
  return { bytes: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32), privateKey }
}

function agreed(privateKey, bytes) {
  const spki = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), bytes])
  const publicKey = crypto.createPublicKey({ key: spki, type: 'spki', format: 'der' })
  return crypto.diffieHellman({ privateKey, publicKey })
}

const proof = (...parts) => crypto.createHmac('sha256', secret).update(Buffer.concat(parts)).digest()

/** This run of the program: what somebody sends back to us is no word of the other's. */
const self = crypto.randomBytes(4).readUInt32LE()

/** type, who says it, when in ms since its start, temporary key, proof: of this, and of what it answers. */
function message(type, key, ...context) {
  const head = Buffer.alloc(headerLength)
  head.writeUInt32LE(type)
  head.writeUInt32LE(self, 4)
  head.writeDoubleLE(performance.now(), 8)
  return Buffer.concat([head, key, proof(head, key, ...context)])
}

function checked(datagram, ...context) {
  if (datagram.length !== headerLength + 64 || datagram.readUInt32LE(4) === self) return undefined
  const [head, key, given] = [datagram.subarray(0, 16), datagram.subarray(16, 48), datagram.subarray(48)]
  return crypto.timingSafeEqual(proof(head, key, ...context), given) ? key : undefined
}

let offered
let offeredAt = Number.NEGATIVE_INFINITY
const lastHello = new Map()

/** Where the other was last, and where it is expected: it may have started again there. */
function sayHello() {
  const targets = new Map([remote, current?.endpoint].filter(Boolean).map(to => [String(to), to]))
  if (targets.size === 0 || performance.now() - offeredAt < helloEveryMs) return
  offeredAt = performance.now()
  offered = temporaryKey()
  for (const to of targets.values()) socket.trySend(message(hello, offered.bytes), { to })
}

function shake(type, datagram, endpoint) {
  if (type === hello) {
    const key = checked(datagram)
    if (!key) return
    // One that somebody sends again says nothing.
    const [sender, time] = [datagram.readUInt32LE(4), datagram.readDoubleLE(8)]
    if (time <= lastHello.get(sender)) return
    lastHello.set(sender, time)
    const own = temporaryKey()
    const session = new Session(agreed(own.privateKey, key), key, own.bytes, false, endpoint)
    // In use once the other has shown that it has the keys.
    add(session)
    socket.trySend(message(answer, own.bytes, key), { to: endpoint })
  } else if (type === answer && offered) {
    const key = checked(datagram, offered.bytes)
    if (!key) return
    const session = new Session(agreed(offered.privateKey, key), offered.bytes, key, true, endpoint)
    offered = undefined
    add(session)
    use(session)
    const empty = new Uint8Array(headerLength + tagLength)
    session.seal(new Uint8Array(0), empty, new DataView(empty.buffer))
    socket.trySend(empty, { to: endpoint })
  } else if (type === unknown && current) sayHello()
}

// --- The two directions ------------------------------------------------------------------------------------------------

const remote = host && new Endpoint({ address: host, port: Number(hostPort) })
const socket = await UdpSocket.open({ port: Number(port), receiveBuffer: 4 << 20 })
const tun = await Tun.create({ mtu, offload: 'split', addresses: addresses.split(',') })
const stop = () => Promise.all([tun.close(), socket.close()])
process.once('SIGINT', stop).once('SIGTERM', stop)
console.log(`${tun.name} is up`)
sayHello()
setInterval(() => current || sayHello(), helloEveryMs).unref()

async function outward() {
  const out = FrameBatch.allocate({ linkType: 'user0', frames: 256, bytes: 256 * 1500 })
  const view = new DataView(out.slab.buffer)
  for await (const batch of tun.batches()) {
    const now = performance.now()
    if (!current || now - current.made > sessionMs || now - current.heard > silentMs) sayHello()
    if (!current) continue
    out.clear()
    for (const packet of batch) {
      if (packet.length <= mtu)
        current.seal(packet, out.reserve(packet.length + headerLength + tagLength), view)
    }
    await socket.send(out, { to: current.endpoint })
  }
}

async function inward() {
  const packets = FrameBatch.allocate({ linkType: 'ip', frames: 1024, bytes: 1024 * 1500 })
  for await (const batch of socket.batches()) {
    packets.clear()
    const view = new DataView(batch.slab.buffer)
    for (let i = 0; i < batch.count; i++) {
      const datagram = batch.frame(i)
      if (datagram.length < headerLength + tagLength || datagram.length > 1500) continue
      const type = view.getUint32(datagram.byteOffset, true)
      if (type !== sealed) {
        shake(type, Buffer.from(datagram), batch.endpoint(i))
        continue
      }
      const session = sessions.get(view.getUint32(datagram.byteOffset + 4, true))
      if (!session) {
        const to = batch.endpoint(i)
        socket.trySend(Buffer.concat([Buffer.of(unknown, 0, 0, 0), datagram.subarray(4, 32)]), { to })
      } else if (session.open(datagram, view, batch.endpoint(i), packets)) {
        if (session !== current && session.made > (current?.made ?? 0)) use(session)
      }
    }
    if (packets.count > 0) await tun.send(packets)
  }
}

await Promise.all([outward(), inward()])
