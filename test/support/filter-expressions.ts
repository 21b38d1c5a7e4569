/** Expressions that are right on Ethernet, one a line. */
export const accepted: readonly string[] = `
ip
ip6
arp
rarp
tcp
udp
sctp
icmp
icmp6
igmp
igrp
pim
vrrp
carp
ah
esp
atalk
aarp
decnet
lat
sca
moprc
mopdl
iso
stp
ipx
netbeui
not ip
! ip
not not ip
ip or ip6
ip || ip6
ip and tcp
ip && tcp
(ip)
((ip or arp))
not (ip or arp)
not ip and not arp
tcp or udp or icmp
tcp and not ip6
host 10.0.0.1
src host 10.0.0.1
dst host 10.0.0.1
src or dst host 10.0.0.1
dst or src host 10.0.0.1
src and dst host 10.0.0.1
dst and src host 10.0.0.1
src 10.0.0.1
dst 192.168.1.80
ip host 10.0.0.1
ip src 10.0.0.1
arp host 10.0.0.1
arp src 10.0.0.1
arp dst host 192.168.1.80
rarp host 192.168.1.80
ip src host 10.0.0.1
host 10
host 10.1
host 10.0.1
host 0
host 0.0.0.0
host 255.255.255.255
host 010.0.0.1
not host 10.0.0.1
host 10.0.0.1 or 10.0.0.2
host 10.0.0.1 or host 10.0.0.2 or 192.168.1.80
host 10.0.0.1 and not 10.0.0.2
host (10.0.0.1 or 10.0.0.2)
host 10.0.0.1 and (192.168.1.80 or 10.0.0.7)
host 10.0.0.1 or not 10.0.0.2
src host 10.0.0.1 or dst host 192.168.1.80
src 10.0.0.1 and dst 192.168.1.80
net 10
net 10.0
net 192.168
net 192.168.1
net 10.0.0.0/8
net 10.0/16
net 192.168.1/24
net 192.168.1.0/24
net 192.168.1.80/32
net 0.0.0.0/0
net 1.2.3.4/32
src net 10.0.0.0/9
dst net 192.168.0.0/16
src and dst net 10.0.0.0/8
net 10.0.0.0 mask 255.0.0.0
net 10.0.0.1 mask 255.0.0.255
net 192.168.1.0 mask 255.255.255.0
net 10 or 192.168
net 10.0.0.0/8 or net 192.168.0.0/16 or net 172.16.0.0/12
not net 10.0.0.0/8
arp net 10
ip net 10.0.0.0/8
host 2001:db8::1
host ::
host ::1
ip6 host 2001:db8::1
src host 2001:db8::1
dst host ff02::16
src and dst host ::1
host ::ffff:10.0.0.1
net 2001:db8::/32
net 2001:db8::/33
net 2001:db8::/64
net 2001:db8::1/128
net ::/0
net fe80::/10
dst net ff00::/8
ip6 net 2001:db8::/32
ip6 src net 2001:db8::/32
host 2001:db8::1 or host 2001:db8::2
host 2001:db8::1 or 10.0.0.1
net 2001:db8::/32 and not host 2001:db8::1
not net 2001:db8::/33
port 80
port 0
port 65535
port 0x50
port 0120
src port 53
dst port 80
src or dst port 53
src and dst port 53
tcp port 80
udp port 53
sctp port 80
tcp src port 40000
tcp dst port 80
udp src or dst port 53
port 80 or 443
port 80 or port 443
port 80 or 443 or 8080
port (80 or 443)
port (80 or 443 or 22)
tcp port 80 or 443
tcp dst port (80 or 443)
not port 22
not port 22 and not port 80
not tcp port 80
port not 80
tcp port 80 or udp port 53
port 80 and host 10.0.0.1
host 10.0.0.1 and (port 80 or port 443)
port 80 or (443 or 22)
port 80 or not 443
port domain
port ssh
port http
port https
port ntp
tcp port ssh
tcp port http or https
udp port ntp
udp port bootps or bootpc
port snmp
src port domain
portrange 1-1024
portrange 53-53
portrange 80-40
portrange 80
portrange 0-65535
src portrange 1000-2000
dst portrange 1-100
src or dst portrange 50-60
src and dst portrange 50-60
tcp portrange 20-25
udp portrange 50-60
tcp dst portrange 1-100
portrange 1-2 or 50-60
portrange ssh-http
not portrange 1-1024
proto 6
proto 17
proto \\tcp
proto \\udp
proto 0
proto 255
proto 256
ip proto 6
ip proto \\tcp
ip proto \\icmp
ip proto ospf
ip proto gre
ip proto 300
ip6 proto 6
ip6 proto \\udp
ip6 proto 0
ip6 proto 44
ip6 proto ipv6-icmp
proto (6 or 17)
ip proto 6 or 17
ether proto 0x800
ether proto 2048
ether proto \\ip
ether proto \\ip6
ether proto \\arp
ether proto \\rarp
ether proto loopback
ether proto \\stp
ether proto 0x42
ether proto 0x88cc
ether proto 1500
ether proto 1501
ether proto 65536
ether proto (0x800 or 0x806)
link proto 0x806
ether host 02:00:00:00:00:01
ether host 2:0:0:0:0:1
ether host 02-00-00-00-00-01
ether host 02.00.00.00.00.01
ether host 0200.0000.0001
ether host 020000000001
ether src 02:00:00:00:00:01
ether dst 02:00:00:00:00:02
ether src host 02:00:00:00:00:01
ether src and dst 02:00:00:00:00:01
ether src or dst host 02:00:00:00:00:01
link host ff:ff:ff:ff:ff:ff
ether host 02:00:00:00:00:01 or 02:00:00:00:00:02
not ether host ff:ff:ff:ff:ff:ff
broadcast
ether broadcast
link broadcast
multicast
ether multicast
ip multicast
ip6 multicast
ip broadcast
not broadcast and not multicast
ether multicast or ip multicast
less 60
greater 60
less 0
greater 0
len > 60
len = 60
len == 60
length < 100
len <= 1500
len >= 60
len != 60
60 < len
len - 14 > 40
byte 0 = 2
byte 0 < 2
byte 0 > 2
byte 0 & 2
byte 12 | 0
inbound
outbound
not inbound
ifindex 3
ifindex 0
vlan
vlan 100
vlan 0
vlan 4095
vlan 0x64
vlan (100)
not vlan
vlan and ip
vlan and tcp port 80
vlan 100 and host 10.0.0.1
vlan 5 and vlan 100
vlan and vlan and ip6
vlan 5 and vlan 100 and tcp port 80
vlan or tcp
tcp or vlan
vlan 100 or vlan 200
(vlan 100 and ip) or arp
vlan and arp
vlan and ether host 02:00:00:00:00:01
vlan and not ip
mpls
mpls 3
mpls 1048575
mpls and ip
mpls and mpls 5
mpls 3 and mpls 5 and ip6
mpls 3 and tcp port 80
mpls and host 10.0.0.1
mpls and ip6 host 2001:db8::1
not mpls
vlan and mpls
pppoed
pppoes
pppoes 3
pppoes 65535
pppoes and ip
pppoes and ip6
pppoes 3 and tcp port 80
pppoes and host 10.0.0.1
vlan and pppoes and ip
pppoes and mpls
geneve
geneve 5
geneve 16777215
geneve and ip
geneve and udp port 53
geneve 5 and host 10.0.0.1
geneve and ether host 02:00:00:00:00:01
geneve and vlan
geneve and ip6
ip[0] = 0x45
ip[0] & 0xf != 5
ip[0] & 0xf > 5
ip[9] = 6
ip[6:2] & 0x1fff = 0
ip[2:2] > 60
ip[12:4] = 0x0a000001
ip[8] < 65
ip[8] <= 64
ip[8] >= 64
ip[8] != 64
ip[8] == 64
ip[-1] = 0
64 = ip[8]
60 > ip[8]
ip[8] = ip[9]
ip[2:2] - ((ip[0] & 0xf) << 2) > 20
ip[2:2] = len - 14
(ip[0] & 0xf) * 4 = 20
ip[0] >> 4 = 4
ip[8] / 2 = 32
ip[8] % 7 = 1
ip[8] ^ 64 = 0
ip[8] | 1 = 65
ip[8] + ip[9] = 70
ip[8] - 64 = 0
-ip[8] < 0
- 1 = 0xffffffff
ip[ip[0] & 0xf] = 0
ip[(ip[0] & 0xf) * 4] = 0
ip[16] >= 224
ip6[6] = 6
ip6[40] = 128
ip6[0] & 0xf0 = 0x60
ip6[4:2] > 20
arp[6:2] = 1
arp[7] = 2
rarp[7] = 3
tcp[13] = 2
tcp[tcpflags] & tcp-syn != 0
tcp[tcpflags] & (tcp-syn|tcp-fin) != 0
tcp[tcpflags] == tcp-syn
tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack)
tcp[tcpflags] & tcp-rst == 0
tcp[13] & 2 = 2
tcp[0:2] = 80
tcp[2:2] = 80
tcp[12] >> 4 > 5
tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420
tcp[tcp[12] >> 4] = 0
not tcp[tcpflags] & tcp-ack != 0
udp[4:2] > 20
udp[2:2] = 53
sctp[0:2] = 7
icmp[icmptype] = icmp-echo
icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply
icmp[icmptype] = icmp-unreach
icmp[icmpcode] = 0
icmp[0] = 8
icmp6[icmp6type] = icmp6-echo
icmp6[icmp6type] = icmp6-neighborsolicit
icmp6[icmp6code] = 0
icmp6[0] = 135
igmp[0] = 0x16
pim[0] = 0x20
vrrp[0] = 0x21
ether[0] & 1 = 0
ether[12:2] = 0x0800
ether[0:4] = 0xffffffff
link[0] = 2
ether[len - 1] = 0
1 = 1
0 != 1
5 > 3
(5) > 3
1 + 1 = 2
len > 5 and 3 < 4
tcp and (ip[2:2] > 40 or port 22)
tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)
icmp or icmp6
ip and not (src net 10.0.0.0/8 and dst net 10.0.0.0/8)
(host 10.0.0.1 or host 10.0.0.2) and (port 80 or port 22)
ether proto 0x88cc or stp
udp port 67 or udp port 68
port 53 and udp
not arp and not icmp and not (port 22)
tcp portrange 1-1023 and not port 22
ip[6] & 0x20 != 0
src net 10.0.0.0/9 and not port 22
ip proto 47 or ip proto 50
net 10 and port 80 and not host 10.0.0.7
host 10.0.0.1 and host 192.168.1.80
(tcp)
udp or ip
`
  .trim()
  .split('\n')

/** Expressions that are wrong on Ethernet, one a line. */
export const rejected: readonly string[] = `
and
or
not
(
)
()
(ip
ip)
((ip)
ip and
ip or
and ip
or ip
ip ip
ip tcp
tcp udp
ip and and tcp
ip or and tcp
ip not tcp
not
! !
80
10.0.0.1
2001:db8::1
02:00:00:00:00:01
foo
\\tcp
host
net
port
portrange
proto
src
dst
src host
dst port
src or
src or dst
src and dst
src src 10.0.0.1
host host 10.0.0.1
host port 80
host 256.0.0.1
host 10.0.0.256
host 10.0.0.1/24
host 10.0.0.1/32
host 10.0.0.0 mask 255.0.0.0
host 10.0.0.1.5
host 10..1
host 1.2.3.
host 02:00:00:00:00:01
src host 02:00:00:00:00:01
ip host 02:00:00:00:00:01
net 10/8
net 10.0.0.0/33
net 10.0.0.1/8
net 10.0.0.0/
net 10.0.0.0/x
net 10.0.0.0 mask
net 10.0.0.0 mask 8
net 10.0.0.1 mask 255.0.0.0
net 10 mask 255.0.0.0
net 02:00:00:00:00:01
ether net 10
net 2001:db8::/129
net 2001:db8::1/32
net 2001:db8::/
host 2001:db8::/32
host 2001:db8:::1
host 1:2:3:4:5:6:7:8:9
host 12345::1
ip host 2001:db8::1
ip6 host 10.0.0.1
ip6 net 10.0.0.0/8
arp host 2001:db8::1
tcp host 10.0.0.1
udp host 10.0.0.1
icmp host 10.0.0.1
tcp src 10.0.0.1
tcp net 10
udp host 2001:db8::1
ether host 10.0.0.1
ether host 2001:db8::1
ether host 02:00:00:00:00
ether host 02:00:00:00:00:01:02
ether host 02:00:00:00:00:gg
ether host
ether src
ether 02:00:00:00:00:01
ether
link
port 65536
port 99999999999
port -1
port 10.0.0.1
port 2001:db8::1
port 80-90
port nosuchservice
ip port 80
ip6 port 80
icmp port 80
arp port 80
ether port 80
udp port ssh
tcp port ntp
tcp 80
port 80 443
port 80,443
port 80 or
port (80 or)
port ()
port 80 or (443 or tcp)
portrange 80-
portrange -80
portrange 1-65536
portrange 70000
portrange a-b
portrange 10.0.0.1
ip portrange 1-2
proto
proto nosuchprotocol
proto tcp
proto 10.0.0.1
ip proto tcp
ip proto
ip proto 10.0.0.1
ip proto 99999999999
tcp proto 6
icmp proto 1
arp proto 1
rarp proto 1
src proto 6
ether proto
ether proto nosuch
ether proto ip
tcp or 80
ip and 10.0.0.1
broadcast 1
tcp broadcast
ip6 broadcast
arp broadcast
tcp multicast
arp multicast
broadcast multicast
less
greater
less x
less -1
less (60)
len
len >
> 60
len > 60 > 50
len 60
len = ip
ifindex
ifindex x
ifindex -1
inbound 1
vlan 4096
vlan x
vlan -1
vlan 1 2
mpls 1048576
mpls and arp
mpls and vlan
mpls and pppoes
pppoes 65536
pppoes and vlan
pppoes and ether host 02:00:00:00:00:01
pppoes and broadcast
pppoed 5
geneve 16777216
geneve x
ip[
ip[0
ip[0]
ip[]=1
ip[0]=
ip[0:]=1
ip[0:3]=1
ip[0:0]=1
ip[0:8]=1
ip[0:x]=1
ip[x]=1
ip[0]=x
ip[0]=tcp
ip[0]!1
ip[0]<>1
ip[0]=1=1
ip[0] and tcp
ip [0]] = 1
foo[0]=1
host[0]=1
ah[0]=1
esp[0]=1
ip[0]/0=1
ip[0]%0=1
ip[0]<<32=1
ip[0]>>32=1
ip[0]<<33=1
tcp[tcpflag]=1
tcp[tcpflags] & syn != 0
tcp[tcpflags] & tcp-foo != 0
ip[0] & = 1
ip[0] + + 1 = 1
ip[0] = 4294967296
ip[0] = 0x100000000
ip[0] = 08
port 089
1 = 2
0 = 1
ip and arp
ip and ip6
tcp and udp and ip and arp
not ip and tcp port 80 and arp
1
0
"tcp"
tcp;udp
tcp,udp
tcp & udp
tcp | udp
tcp @ udp
tcp # udp
{tcp}
host 10.0.0.1 tcp
tcp host
vlan vlan
len[0] = 1
vpi 5
lane
metac
type mgt
subtype beacon
dir tods
wlan host
fisu
action pass
src gateway x
byte 0 = 
byte = 5
byte x = 5
byte 0 != 5
`
  .trim()
  .split('\n')
