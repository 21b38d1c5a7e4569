// A TUN device behind which every IPv4 address of 192.0.2.0/24 answers pings, until Ctrl-C.
//
//   sudo node examples/answer-ping.mjs           and in another terminal:  ping 192.0.2.77
import { decode, encode, frames, Tun } from 'netloom'
import { icmpTypes } from 'netloom/frames'

const tun = await Tun.create({ addresses: ['192.0.2.1/24'] })
process.once('SIGINT', () => tun.close())

console.log(`${tun.name} is up`)
for await (const packet of frames(tun)) {
  const { ipv4, icmp, payload } = decode(packet, 'ip')
  if (!ipv4 || icmp?.type !== icmpTypes.echoRequest) continue
  const reply = encode({
    ipv4: { source: ipv4.destination, destination: ipv4.source },
    icmp: { ...icmp, type: icmpTypes.echoReply, checksum: undefined },
    payload,
  })
  await tun.send(reply)
}
