# Attaches a filter to a packet socket and says which frames pass: the number of the filter's bytes, the filter, then
# one line for each frame that came through, until the frame that ends with "last".
import ctypes, socket, struct, sys

SO_ATTACH_FILTER = 26
program = bytes.fromhex(sys.argv[2])
held = ctypes.create_string_buffer(program)
# Protocol 0 receives nothing until the filter is in place.
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack('HL', len(program) // 8, ctypes.addressof(held)))
sock.bind((sys.argv[1], 3))
every = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
every.bind((sys.argv[1], 3))
print('ready', flush=True)
while True:
    frame = every.recv(65536)
    if frame.endswith(b'last'):
        break
sock.setblocking(False)
while True:
    try:
        frame, address = sock.recvfrom(65536)
    except BlockingIOError:
        break
    if address[2] != socket.PACKET_OUTGOING:
        print(frame[-2] * 256 + frame[-1], flush=True)
print('end', flush=True)
