#include "netlink_socket.h"

#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

namespace netloom {
namespace {

int size_receive_buffer(int fd, int bytes) {
  // Beyond net.core.rmem_max only with CAP_NET_ADMIN in the first user namespace; less is better than nothing.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0) return 0;
  return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int receive_buffer_of(int fd) {
  int bytes = 0;
  socklen_t length = sizeof bytes;
  getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &length);
  return bytes;
}

}  // namespace

void open_netlink(const void* argument, Opened& out) {
  const auto* options = static_cast<const NetlinkOptions*>(argument);
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, options->protocol));
  if (!fd) {
    out.failure = Failure::last("socket", "AF_NETLINK");
    return;
  }
  int on = 1;
  // Not every protocol has strict checking; the others do without.
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  if (options->all_namespaces && setsockopt(fd.get(), SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof on) != 0) {
    out.failure = Failure::last("setsockopt", "NETLINK_LISTEN_ALL_NSID");
    return;
  }
  if (options->receive_buffer > 0 && size_receive_buffer(fd.get(), options->receive_buffer) != 0) {
    out.failure = Failure::last("setsockopt", "SO_RCVBUF");
    return;
  }
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  socklen_t length = sizeof address;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    out.failure = Failure::last("bind", "AF_NETLINK");
    return;
  }
  for (uint32_t i = 0; i < options->group_count; i++) {
    out.failure = join_netlink_group(fd.get(), options->groups[i], true);
    if (out.failure) return;
  }
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    out.failure = Failure::last("getsockname", "AF_NETLINK");
    return;
  }
  NetlinkIdentity identity = {address.nl_pid, receive_buffer_of(fd.get())};
  memcpy(out.payload, &identity, sizeof identity);
  out.add(static_cast<Fd&&>(fd));
}

int send_netlink(int fd, const uint8_t* data, size_t length) {
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  ssize_t n;
  do n = sendto(fd, data, length, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
  while (n < 0 && errno == EINTR);
  return n < 0 ? errno : 0;
}

namespace {

// The kernel says so beside what comes from another namespace than the socket's.
int32_t namespace_of(msghdr* message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_NETLINK || header->cmsg_type != NETLINK_LISTEN_ALL_NSID) continue;
    int32_t id;
    memcpy(&id, CMSG_DATA(header), sizeof id);
    return id;
  }
  return -1;
}

}  // namespace

NetlinkReceived receive_netlink(int fd, uint8_t* data, size_t size, uint32_t* offsets, uint32_t* lengths,
                                int32_t* namespaces, uint32_t most) {
  NetlinkReceived done;
  size_t used = 0;
  while (done.datagrams < most && size - used >= kNetlinkRoom) {
    sockaddr_nl from = {};
    iovec part = {data + used, size - used};
    msghdr message = {};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int32_t))];
    if (namespaces) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
    }
    ssize_t n = recvmsg(fd, &message, MSG_TRUNC);
    if (n < 0) {
      if (errno == EINTR) continue;
      done.error = errno;
      return done;
    }
    if (from.nl_pid != 0) continue;
    if (message.msg_flags & MSG_TRUNC) {
      done.error = EMSGSIZE;
      done.needed = static_cast<uint32_t>(n);
      return done;
    }
    if (n == 0) continue;
    if (namespaces) namespaces[done.datagrams] = namespace_of(&message);
    offsets[done.datagrams] = static_cast<uint32_t>(used);
    lengths[done.datagrams++] = static_cast<uint32_t>(n);
    used += (static_cast<size_t>(n) + 7) & ~static_cast<size_t>(7);
    if (used > size) used = size;
  }
  return done;
}

int wait_netlink(int fd, int milliseconds) {
  pollfd entry = {fd, POLLIN, 0};
  int ready;
  do ready = poll(&entry, 1, milliseconds);
  while (ready < 0 && errno == EINTR);
  return ready < 0 ? errno : ready == 0 ? EAGAIN : 0;
}

Failure join_netlink_group(int fd, uint32_t group, bool join) {
  int number = static_cast<int>(group);
  int option = join ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;
  if (setsockopt(fd, SOL_NETLINK, option, &number, sizeof number) == 0) return {};
  return Failure::last("setsockopt", join ? "NETLINK_ADD_MEMBERSHIP" : "NETLINK_DROP_MEMBERSHIP");
}

Result<int> set_netlink_receive_buffer(int fd, int bytes) {
  if (size_receive_buffer(fd, bytes) != 0) return Failure::last("setsockopt", "SO_RCVBUF");
  return receive_buffer_of(fd);
}

}  // namespace netloom
