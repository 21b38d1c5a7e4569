// The frame of a userspace VPN: packets of a TUN device travel to another host in UDP datagrams, and back.
// Nothing is encrypted here. On two hosts that reach each other, until Ctrl-C:
//
//   sudo node examples/udp-tunnel.mjs 10.8.0.1/24 <address of the other host>
//   sudo node examples/udp-tunnel.mjs 10.8.0.2/24 <address of the other host>
import dgram from 'node:dgram'
import { once } from 'node:events'
import { frames, Tun } from 'netloom'

const [address = '10.8.0.1/24', peer = '127.0.0.1', port = '51000'] = process.argv.slice(2)

const socket = dgram.createSocket('udp4').bind(Number(port))
await once(socket, 'listening')
socket.connect(Number(port), peer) // from now on the kernel passes only what the peer sends
await once(socket, 'connect')

const tun = await Tun.create({ mtu: 1420, addresses: [address] })
process.once('SIGINT', () => tun.close())

socket.on('error', error => console.error(error.message)) // the peer does not listen yet
socket.on('message', packet => tun.trySend(packet))

console.log(`${tun.name} is up`)
for await (const packet of frames(tun)) socket.send(packet)
socket.close()
