#include "tuntap.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace netloom {
namespace {

int link_index(const char* name) {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  memcpy(request.ifr_name, name, sizeof request.ifr_name);
  return socket && ioctl(socket.get(), SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

// The settings that TuntapOptions asks for, on an attached descriptor.
Failure configure(int fd, const TuntapOptions& options) {
  int size = options.vnet_header_size, send_buffer = options.send_buffer;
  if (options.set_vnet_header_size && ioctl(fd, TUNSETVNETHDRSZ, &size) != 0)
    return Failure::last("ioctl", "TUNSETVNETHDRSZ");
  if (options.set_offload && ioctl(fd, TUNSETOFFLOAD, static_cast<unsigned long>(options.offload)) != 0)
    return Failure::last("ioctl", "TUNSETOFFLOAD");
  if (options.set_owner && ioctl(fd, TUNSETOWNER, static_cast<unsigned long>(options.owner)) != 0)
    return Failure::last("ioctl", "TUNSETOWNER");
  if (options.set_group && ioctl(fd, TUNSETGROUP, static_cast<unsigned long>(options.group)) != 0)
    return Failure::last("ioctl", "TUNSETGROUP");
  if (options.set_send_buffer && ioctl(fd, TUNSETSNDBUF, &send_buffer) != 0)
    return Failure::last("ioctl", "TUNSETSNDBUF");
  return {};
}

}  // namespace

void open_tuntap(const void* argument, Opened& out) {
  const TuntapOptions& options = *static_cast<const TuntapOptions*>(argument);
  Fd fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    out.failure = Failure::last("open", "/dev/net/tun");
    return;
  }
  int existing = 0;
  if (options.must_exist && (existing = link_index(options.name)) == 0) {
    out.failure = {ENODEV, "ioctl", "SIOCGIFINDEX"};
    return;
  }
  ifreq request = {};
  memcpy(request.ifr_name, options.name, sizeof request.ifr_name);
  request.ifr_flags = static_cast<short>(options.flags);
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    out.failure = Failure::last("ioctl", "TUNSETIFF");
    return;
  }
  TuntapIdentity identity = {};
  memcpy(identity.name, request.ifr_name, sizeof identity.name);
  identity.index = link_index(identity.name);
  if (options.must_exist && identity.index != existing) {
    out.failure = {ENODEV, "ioctl", "TUNSETIFF"};  // it went away, and this call made another
    return;
  }
  if ((out.failure = configure(fd.get(), options))) return;
  ifreq answer = {};
  if (ioctl(fd.get(), TUNGETIFF, &answer) != 0) {
    out.failure = Failure::last("ioctl", "TUNGETIFF");
    return;
  }
  identity.flags = static_cast<uint16_t>(answer.ifr_flags);
  static_assert(sizeof identity <= sizeof out.payload);
  memcpy(out.payload, &identity, sizeof identity);
  out.add(std::move(fd));
}

void configure_tuntap(const void* argument, Opened& out) {
  const TuntapOptions& options = *static_cast<const TuntapOptions*>(argument);
  out.failure = configure(options.fd, options);
}

Result<TuntapIdentity> identify_tuntap(int fd) {
  ifreq request = {};
  if (ioctl(fd, TUNGETIFF, &request) != 0) return Failure::last("ioctl", "TUNGETIFF");
  TuntapIdentity identity = {};
  memcpy(identity.name, request.ifr_name, sizeof identity.name);
  identity.flags = static_cast<uint16_t>(request.ifr_flags);
  return identity;
}

Result<int> control_tuntap(int fd, TuntapRequest request, int value) {
  // How the kernel takes the argument: by value, through a pointer in, through a pointer out, or none.
  enum Pass { kValue, kIn, kOut, kNone };
  struct Entry {
    unsigned long number;
    const char* name;
    Pass pass;
  };
  // clang-format off
  static const Entry entries[] = {
      {TUNGETFEATURES, "TUNGETFEATURES", kOut},
      {TUNSETPERSIST, "TUNSETPERSIST", kValue},
      {TUNSETOWNER, "TUNSETOWNER", kValue},
      {TUNSETGROUP, "TUNSETGROUP", kValue},
      {TUNSETSNDBUF, "TUNSETSNDBUF", kIn},
      {TUNGETSNDBUF, "TUNGETSNDBUF", kOut},
      {TUNSETOFFLOAD, "TUNSETOFFLOAD", kValue},
      {TUNSETVNETHDRSZ, "TUNSETVNETHDRSZ", kIn},
      {TUNGETVNETHDRSZ, "TUNGETVNETHDRSZ", kOut},
      {TUNSETCARRIER, "TUNSETCARRIER", kIn},
      {TUNSETQUEUE, "TUNSETQUEUE", kIn},
      {TUNSETVNETLE, "TUNSETVNETLE", kIn},
      {TUNGETVNETLE, "TUNGETVNETLE", kOut},
      {TUNSETVNETBE, "TUNSETVNETBE", kIn},
      {TUNGETVNETBE, "TUNGETVNETBE", kOut},
      {TUNSETSTEERINGEBPF, "TUNSETSTEERINGEBPF", kIn},
      {TUNSETFILTEREBPF, "TUNSETFILTEREBPF", kIn},
      {TUNGETDEVNETNS, "TUNGETDEVNETNS", kNone},
      {TUNDETACHFILTER, "TUNDETACHFILTER", kIn},
  };
  // clang-format on
  static_assert(sizeof entries / sizeof *entries == static_cast<int>(TuntapRequest::kCount));
  const Entry& entry = entries[static_cast<int>(request)];
  int returned;
  if (request == TuntapRequest::kEnableQueue) {
    ifreq queue = {};
    queue.ifr_flags = static_cast<short>(value ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);
    returned = ioctl(fd, TUNSETQUEUE, &queue);
  } else if (request == TuntapRequest::kDetachFilter) {
    sock_fprog none = {};
    returned = ioctl(fd, TUNDETACHFILTER, &none);
  } else if (entry.pass == kValue) {
    returned = ioctl(fd, entry.number, static_cast<unsigned long>(static_cast<unsigned>(value)));
  } else if (entry.pass == kNone) {
    returned = ioctl(fd, entry.number);
  } else {
    returned = ioctl(fd, entry.number, &value);
  }
  if (returned < 0) return Failure::last("ioctl", entry.name);
  return entry.pass == kOut ? value : returned;
}

Failure attach_tuntap_filter(int fd, const uint8_t* program, uint16_t instructions) {
  sock_fprog filter = {instructions, reinterpret_cast<sock_filter*>(const_cast<uint8_t*>(program))};
  if (ioctl(fd, TUNATTACHFILTER, &filter) != 0) return Failure::last("ioctl", "TUNATTACHFILTER");
  return {};
}

Result<int> set_tuntap_tx_filter(int fd, bool all_multicast, const uint8_t* addresses, uint16_t count) {
  // struct tun_filter ends in the addresses themselves.
  struct {
    uint16_t flags, count;
    uint8_t addresses[64][6];
  } filter = {};
  static_assert(sizeof(tun_filter) == 4);
  if (count > 64) return Failure{E2BIG, "ioctl", "TUNSETTXFILTER"};
  filter.flags = all_multicast ? TUN_FLT_ALLMULTI : 0;
  filter.count = count;
  if (count > 0) memcpy(filter.addresses, addresses, 6u * count);
  int exact = ioctl(fd, TUNSETTXFILTER, &filter);
  if (exact < 0) return Failure::last("ioctl", "TUNSETTXFILTER");
  return exact;
}

}  // namespace netloom
