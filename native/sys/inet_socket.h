#pragma once
#include <netinet/in.h>

#include "netns.h"

namespace netloom {

struct InetSocketOptions {
  int family;  // AF_INET, AF_INET6
  int type;    // SOCK_STREAM, SOCK_DGRAM
  bool reuse_address;
  bool ipv6_only;
  bool bind;
  uint8_t address[16];
  uint16_t port;
  uint32_t scope;
};

// OpenJob: a socket where the thread is, bound if asked for, in descriptors[0].
void open_inet_socket(const void* options, Opened& out);

}  // namespace netloom
