# Sends frames, one of hexadecimal digits in each line of the standard input.
import socket, sys

sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
for line in sys.stdin:
    sock.sendto(bytes.fromhex(line.strip()), (sys.argv[1], 0))
