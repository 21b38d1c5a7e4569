#pragma once
#include "netns.h"

namespace netloom {

struct NetlinkOptions {
  int protocol;         // NETLINK_ROUTE, …
  int receive_buffer;   // bytes; 0 leaves the system's default
  uint32_t groups[32];  // multicast groups to join at once, by number
  uint32_t group_count;
  bool all_namespaces;  // also what happens in namespaces that this one has ids for
};

// What descriptors[0] comes with.
struct NetlinkIdentity {
  uint32_t port;
  int receive_buffer;  // as the kernel counts it, twice what was asked for
};

// OpenJob: a bound, non-blocking socket with strict checking, extended and capped acknowledgements.
// The payload is a NetlinkIdentity.
void open_netlink(const void* options, Opened& out);

// Sends one datagram, which the kernel answers before this returns. 0 or an error number.
int send_netlink(int fd, const uint8_t* data, size_t length);

struct NetlinkReceived {
  uint32_t datagrams = 0;
  int error = 0;        // what ended it: 0 (memory or `lengths` full), EAGAIN (drained), ENOBUFS, EMSGSIZE (cut), …
  uint32_t needed = 0;  // EMSGSIZE: the length of the datagram that was lost
};

// The least room that one datagram is given. A dump's is up to 32 KiB once the kernel has seen a read that large
// (netlink_recvmsg in net/netlink/af_netlink.c); other messages can be longer.
constexpr size_t kNetlinkRoom = 64 * 1024;

// Reads datagrams one after the other into `data`, each at a multiple of 8, while there is room for another.
// What does not come from the kernel is passed over. `namespaces`, if not null, gets the id of the namespace that a
// datagram is from, -1 for the socket's own.
NetlinkReceived receive_netlink(int fd, uint8_t* data, size_t size, uint32_t* offsets, uint32_t* lengths,
                                int32_t* namespaces, uint32_t most);

// 0 when readable, EAGAIN after `milliseconds`.
int wait_netlink(int fd, int milliseconds);

Failure join_netlink_group(int fd, uint32_t group, bool join);

// The size in force afterwards.
Result<int> set_netlink_receive_buffer(int fd, int bytes);

}  // namespace netloom
