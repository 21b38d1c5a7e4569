#pragma once
#include <stdlib.h>
#include <sys/socket.h>

#include "../../native/sys/fd.h"

// Two sockets that keep message borders: one stands in for a device, and what is written to the other it delivers.
struct SocketPair {
  netloom::Fd ours, theirs;
  // With so many bytes of room for what `ours` sends; 0 = as many as usual.
  explicit SocketPair(int buffer = 0) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) abort();
    ours.reset(pair[0]);
    theirs.reset(pair[1]);
    if (buffer > 0) setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  }
};
