#include "inet_socket.h"

#include <string.h>
#include <sys/socket.h>

namespace netloom {

void open_inet_socket(const void* argument, Opened& out) {
  const auto* options = static_cast<const InetSocketOptions*>(argument);
  Fd fd(socket(options->family, options->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    out.failure = Failure::last("socket");
    return;
  }
  int on = 1;
  if (options->reuse_address && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    out.failure = Failure::last("setsockopt", "SO_REUSEADDR");
    return;
  }
  if (options->ipv6_only && setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
    out.failure = Failure::last("setsockopt", "IPV6_V6ONLY");
    return;
  }
  if (options->bind) {
    union {
      sockaddr any;
      sockaddr_in v4;
      sockaddr_in6 v6;
    } address = {};
    socklen_t length;
    if (options->family == AF_INET) {
      address.v4.sin_family = AF_INET;
      address.v4.sin_port = htons(options->port);
      memcpy(&address.v4.sin_addr, options->address, 4);
      length = sizeof address.v4;
    } else {
      address.v6.sin6_family = AF_INET6;
      address.v6.sin6_port = htons(options->port);
      address.v6.sin6_scope_id = options->scope;
      memcpy(&address.v6.sin6_addr, options->address, 16);
      length = sizeof address.v6;
    }
    if (bind(fd.get(), &address.any, length) != 0) {
      out.failure = Failure::last("bind");
      return;
    }
  }
  out.add(static_cast<Fd&&>(fd));
}

}  // namespace netloom
