#include "udp_socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace netloom {
namespace {

constexpr int kMessages = 32;
// Room for a datagram of an ordinary MTU where it is to stay; what is longer goes on elsewhere.
constexpr size_t kSmall = 2048;
constexpr size_t kControl = 192;
// UDP_MAX_SEGMENTS of include/linux/udp.h before 6.9, and bytes of one message with room for any header.
constexpr uint32_t kSendSegments = 64;
constexpr size_t kSendBytes = 65000;
constexpr int kSendParts = 1024;
// Times that a message is tried again.
constexpr int kAgain = 2;

template <typename T>
bool set(int fd, int level, int name, const T& value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool set_buffer(int fd, int forced, int name, int bytes) {
  return bytes < 0 || set(fd, SOL_SOCKET, forced, bytes) || set(fd, SOL_SOCKET, name, bytes);
}

template <typename T>
T control_value(const cmsghdr* control) {
  T value;
  memcpy(&value, CMSG_DATA(control), sizeof value);
  return value;
}

}  // namespace

void open_udp_socket(const void* argument, Opened& out) {
  const auto& options = *static_cast<const UdpOptions*>(argument);
  Fd socket_fd(socket(options.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_fd) {
    out.failure = Failure::last("socket");
    return;
  }
  int fd = socket_fd.get();
  bool six = options.family == AF_INET6;
  const int on = 1;
  const char* failed = nullptr;
  auto must = [&](bool done, const char* name) {
    if (!done && !failed) {
      failed = name;
      out.failure = Failure::last("setsockopt", name);
    }
  };
  if (six) must(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, int{options.ipv6_only}), "IPV6_V6ONLY");
  if (options.reuse_address) must(set(fd, SOL_SOCKET, SO_REUSEADDR, on), "SO_REUSEADDR");
  if (options.reuse_port) must(set(fd, SOL_SOCKET, SO_REUSEPORT, on), "SO_REUSEPORT");
  must(set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer), "SO_RCVBUF");
  must(set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer), "SO_SNDBUF");
  if (options.marked) must(set(fd, SOL_SOCKET, SO_MARK, options.mark), "SO_MARK");
  if (options.device[0])
    must(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options.device, strnlen(options.device, IFNAMSIZ)) == 0,
         "SO_BINDTODEVICE");
  // A socket for both families keeps the settings of each.
  bool four = !six || !options.ipv6_only;
  if (six) must(set(fd, IPPROTO_IPV6, IPV6_RECVERR, on), "IPV6_RECVERR");
  if (four) must(set(fd, IPPROTO_IP, IP_RECVERR, on), "IP_RECVERR");
  if (options.type_of_service >= 0) {
    if (six) must(set(fd, IPPROTO_IPV6, IPV6_TCLASS, options.type_of_service), "IPV6_TCLASS");
    if (four) must(set(fd, IPPROTO_IP, IP_TOS, options.type_of_service), "IP_TOS");
  }
  if (options.ttl >= 0) {
    if (six) must(set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, options.ttl), "IPV6_UNICAST_HOPS");
    if (four) must(set(fd, IPPROTO_IP, IP_TTL, options.ttl), "IP_TTL");
  }
  if (options.mtu_discovery >= 0) {
    if (six) must(set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, options.mtu_discovery), "IPV6_MTU_DISCOVER");
    if (four) must(set(fd, IPPROTO_IP, IP_MTU_DISCOVER, options.mtu_discovery), "IP_MTU_DISCOVER");
  }
  if (options.information) {
    if (six) {
      must(set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, on), "IPV6_RECVPKTINFO");
      must(set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, on), "IPV6_RECVTCLASS");
    } else {
      must(set(fd, IPPROTO_IP, IP_PKTINFO, on), "IP_PKTINFO");
    }
    if (four) must(set(fd, IPPROTO_IP, IP_RECVTOS, on), "IP_RECVTOS");
  }
  if (failed) return;
  // Since 5.0; before, each datagram is a message of its own.
  out.payload[0] = options.coalesce && set(fd, IPPROTO_UDP, UDP_GRO, on);
  // Since 4.18: this refuses nothing but a kernel without it.
  out.payload[1] = set(fd, IPPROTO_UDP, UDP_SEGMENT, 0);
  sockaddr_storage address;
  if (options.bind.family != 0) {
    socklen_t length = options.bind.write(options.family, &address);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) {
      out.failure = Failure::last("bind");
      return;
    }
  }
  if (options.peer.family != 0) {
    socklen_t length = options.peer.write(options.family, &address);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) {
      out.failure = Failure::last("connect");
      return;
    }
  }
  out.add(static_cast<Fd&&>(socket_fd));
}

struct UdpSocket::Incoming {
  mmsghdr messages[kMessages];
  iovec parts[kMessages][2];
  sockaddr_storage names[kMessages];
  alignas(cmsghdr) uint8_t controls[kMessages][kControl];
  // Each has kLarge bytes: the first kSmall are for what comes before, should the message have to wait.
  uint8_t spill[kMessages][kLarge];
};

struct UdpSocket::Outgoing {
  mmsghdr messages[kMessages];
  iovec parts[kSendParts];
  sockaddr_storage names[kMessages];
  alignas(cmsghdr) uint8_t controls[kMessages][kControl];
  uint32_t segments[kMessages];
};

UdpSocket::~UdpSocket() { close(); }

void UdpSocket::open(int fd, int family, bool coalesce, bool segment) {
  fd_.reset(fd);
  family_ = family;
  coalesce_ = coalesce;
  segment_ = segment;
  sockaddr_storage peer = {};
  socklen_t length = sizeof peer;
  auto* name = reinterpret_cast<sockaddr*>(&peer);
  peer_family_ = getpeername(fd, name, &length) == 0 ? Endpoint::of(name).family : family;
}

void UdpSocket::close() {
  fd_.reset();
  free(incoming_);
  free(outgoing_);
  incoming_ = nullptr;
  outgoing_ = nullptr;
  pending_ = pending_end_ = 0;
}

bool UdpSocket::fits(const DatagramRoom& room, const DatagramReadReport& report, size_t length) const {
  return room.size - room.cursor >= length && room.places - room.first - report.datagrams >= kMostSegments;
}

// Enters the datagrams of a message whose bytes are at `data`, in the room.
void UdpSocket::place(int index, uint8_t* data, DatagramRoom& room, DatagramReadReport& report) {
  mmsghdr& message = incoming_->messages[index];
  msghdr& header = message.msg_hdr;
  if (header.msg_flags & MSG_TRUNC) {
    report.cut++;
    return;
  }
  uint32_t length = message.msg_len, segment = 0, local = 0, interface = 0;
  uint8_t service = 0;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
      segment = static_cast<uint32_t>(control_value<int>(control));
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_TOS) {
      service = control_value<uint8_t>(control);
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_TCLASS) {
      service = static_cast<uint8_t>(control_value<int>(control));
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      auto info = control_value<in_pktinfo>(control);
      Endpoint endpoint = {};
      endpoint.family = AF_INET;
      memcpy(endpoint.address, &info.ipi_addr, 4);
      local = endpoints_.intern(endpoint);
      interface = static_cast<uint32_t>(info.ipi_ifindex);
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      auto info = control_value<in6_pktinfo>(control);
      sockaddr_in6 address = {};
      address.sin6_family = AF_INET6;
      address.sin6_addr = info.ipi6_addr;
      local = endpoints_.intern(Endpoint::of(reinterpret_cast<sockaddr*>(&address)));
      interface = info.ipi6_ifindex;
    }
  }
  uint32_t from = endpoints_.intern(Endpoint::of(reinterpret_cast<sockaddr*>(&incoming_->names[index])));
  if (segment == 0 || segment > length) segment = length;
  report.bytes += length;
  uint32_t at = 0;
  do {
    uint32_t entry = room.first + report.datagrams++;
    room.offsets[entry] = static_cast<uint32_t>(data - room.data) + at;
    room.lengths[entry] = length - at < segment ? length - at : segment;
    room.endpoints[entry] = from;
    room.locals[entry] = local;
    room.interfaces[entry] = interface;
    room.services[entry] = service;
    at += segment;
  } while (at < length && room.first + report.datagrams < room.places);
  // Long ones lie behind the slots of all: a short one that came after them, in its slot, takes no room back.
  const size_t end = static_cast<size_t>(data - room.data) + length;
  if (end > room.cursor) room.cursor = end;
}

void UdpSocket::deliver_pending(DatagramRoom& room, DatagramReadReport& report, uint32_t most) {
  while (pending_ < pending_end_ && report.datagrams < most) {
    uint32_t length = incoming_->messages[pending_].msg_len;
    if (!fits(room, report, length)) return;
    uint8_t* data = room.data + room.cursor;
    memcpy(data, incoming_->spill[pending_], length);
    place(pending_++, data, room, report);
  }
}

DatagramReadReport UdpSocket::read(DatagramRoom& room, uint32_t most, size_t bytes) {
  DatagramReadReport report;
  if (!incoming_ && !(incoming_ = static_cast<Incoming*>(malloc(sizeof(Incoming))))) {
    report.error = ENOMEM;
    return report;
  }
  Incoming& in = *incoming_;
  const size_t start = room.cursor;
  deliver_pending(room, report, most);
  while (pending_ == pending_end_ && report.datagrams < most && room.cursor - start < bytes) {
    const size_t slot = large_ ? kLarge : kSmall;
    size_t count = (room.size - room.cursor) / slot;
    // Should all of them be coalesced their datagrams must have places.
    size_t places = (room.places - room.first - report.datagrams) / (coalesce_ ? kMostSegments : 1);
    if (count > places) count = places;
    if (count > most - report.datagrams) count = most - report.datagrams;
    if (count > kMessages) count = kMessages;
    if (count == 0) break;
    uint8_t* const base = room.data + room.cursor;
    for (size_t i = 0; i < count; i++) {
      in.parts[i][0] = {base + i * slot, slot};
      in.parts[i][1] = {in.spill[i] + kSmall, kLarge - kSmall};
      in.messages[i].msg_hdr = {&in.names[i],   sizeof in.names[i], in.parts[i], large_ ? 1u : 2u,
                                in.controls[i], kControl,           0};
    }
    int got = recvmmsg(fd(), in.messages, static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
    if (got < 0) {
      if (errno == EINTR) continue;
      report.error = errno;
      break;
    }
    bool long_ones = false;
    for (int i = 0; i < got; i++) {
      uint8_t* data = base + i * slot;
      const size_t length = in.messages[i].msg_len;
      if (length <= slot) {
        place(i, data, room, report);
        continue;
      }
      long_ones = true;
      // Behind the slots of all, if there is room; otherwise it waits, and those after it.
      uint8_t* behind = base + count * slot;
      if (room.data + room.cursor > behind) behind = room.data + room.cursor;
      room.cursor = static_cast<size_t>(behind - room.data);
      if (fits(room, report, length)) {
        memcpy(behind, data, slot);
        memcpy(behind + slot, in.spill[i] + kSmall, length - slot);
        place(i, behind, room, report);
        continue;
      }
      for (int late = i; late < got; late++) {
        size_t head = in.messages[late].msg_len;
        memcpy(in.spill[late], base + late * slot, head < slot ? head : slot);
      }
      pending_ = i;
      pending_end_ = got;
      break;
    }
    // What is read next is like what was read last.
    if (large_) {
      for (int i = 0; i < got; i++) long_ones |= in.messages[i].msg_len > kSmall;
    }
    large_ = long_ones;
    if (static_cast<size_t>(got) < count) {
      // Not while messages wait for room: nothing would wake the reader for them.
      if (pending_ == pending_end_) report.error = EAGAIN;
      break;
    }
  }
  return report;
}

// Makes messages of the list from `report.next` on: as many datagrams as fit, several in one where they can be merged.
// What cannot be sent at all is counted as dropped if it comes first. Gives how many messages there are; none with ESTALE
// if the first of them names an endpoint that is known no more.
uint32_t UdpSocket::fill(const DatagramList& list, uint32_t most, bool merge, WriteReport& report) {
  uint32_t from = report.next;
  Outgoing& out = *outgoing_;
  uint32_t messages = 0;
  int parts = 0;
  uint32_t i = from;
  while (i < list.count && messages < kMessages && i - from < most && parts < kSendParts) {
    uint32_t to = list.endpoints ? list.endpoints[i] : list.endpoint;
    uint32_t offset = list.offsets[i], length = list.lengths[i];
    const Endpoint* endpoint = to == 0 ? nullptr : endpoints_.find(to);
    const Endpoint* local = list.local == 0 ? nullptr : endpoints_.find(list.local);
    const bool four = (endpoint ? endpoint->family : peer_family_) == AF_INET;
    // The caller knows whom it means and names them anew; of who sent a datagram there is only the number.
    const bool forgotten = to != 0 && !endpoint;
    if ((forgotten && !list.answer) || (list.local != 0 && !local)) {
      if (messages == 0) report.error = ESTALE;
      break;
    }
    int refused = 0;
    socklen_t name = 0;
    if (offset > list.size || length > list.size - offset) refused = ERANGE;
    else if (forgotten) refused = ESTALE;
    else if (endpoint && (name = endpoint->write(family_, &out.names[messages])) == 0) refused = EAFNOSUPPORT;
    else if (local && (local->family == AF_INET) != four) refused = EAFNOSUPPORT;
    if (refused) {
      if (messages > 0) break;
      if (report.dropped++ == 0) {
        report.failed_index = i;
        report.failed_length = length;
        report.failed_error = refused;
      }
      report.next = ++i;
      from = i;
      continue;
    }
    const int first = parts;
    uint32_t segments = 0;
    size_t total = 0;
    for (;;) {
      auto* data = const_cast<uint8_t*>(list.data) + list.offsets[i];
      // One behind the other they are one piece.
      iovec* before = parts > first ? &out.parts[parts - 1] : nullptr;
      if (before && static_cast<uint8_t*>(before->iov_base) + before->iov_len == data) before->iov_len += list.lengths[i];
      else out.parts[parts++] = {data, list.lengths[i]};
      total += list.lengths[i];
      segments++;
      bool shorter = list.lengths[i] < length;
      i++;
      if (!merge || shorter || length == 0 || segments == kSendSegments || parts == kSendParts || i == list.count ||
          i - from >= most)
        break;
      uint32_t next = list.lengths[i], at = list.offsets[i];
      if (next == 0 || next > length || total + next > kSendBytes) break;
      if (at > list.size || next > list.size - at) break;
      if (list.endpoints && list.endpoints[i] != to) break;
    }
    msghdr& header = out.messages[messages].msg_hdr;
    header = {};
    header.msg_name = name ? &out.names[messages] : nullptr;
    header.msg_namelen = name;
    header.msg_iov = out.parts + first;
    header.msg_iovlen = static_cast<size_t>(parts - first);
    out.segments[messages] = segments;
    uint8_t* control = out.controls[messages];
    size_t used = 0;
    auto add = [&](int level, int type, const void* value, size_t size) {
      auto* entry = reinterpret_cast<cmsghdr*>(control + used);
      memset(entry, 0, CMSG_SPACE(size));
      entry->cmsg_level = level;
      entry->cmsg_type = type;
      entry->cmsg_len = CMSG_LEN(size);
      memcpy(CMSG_DATA(entry), value, size);
      used += CMSG_SPACE(size);
    };
    if (segments > 1) {
      auto size = static_cast<uint16_t>(length);
      add(IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
    }
    if (list.type_of_service >= 0) {
      int service = list.type_of_service;
      if (four) add(IPPROTO_IP, IP_TOS, &service, sizeof service);
      else add(IPPROTO_IPV6, IPV6_TCLASS, &service, sizeof service);
    }
    if (local && four) {
      in_pktinfo info = {};
      memcpy(&info.ipi_spec_dst, local->address, 4);
      add(IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else if (local) {
      in6_pktinfo info = {};
      memcpy(&info.ipi6_addr, local->address, 16);
      info.ipi6_ifindex = local->scope;
      add(IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
    header.msg_control = used ? control : nullptr;
    header.msg_controllen = used;
    messages++;
  }
  return messages;
}

WriteReport UdpSocket::write(const DatagramList& list, uint32_t most) {
  WriteReport report;
  report.next = list.from;
  if (!outgoing_ && !(outgoing_ = static_cast<Outgoing*>(malloc(sizeof(Outgoing))))) {
    report.error = ENOMEM;
    return report;
  }
  Outgoing& out = *outgoing_;
  // Datagrams that were refused together are tried one by one up to here.
  uint32_t singly = 0;
  // Whose message failed last, and how often.
  uint32_t failed = 0;
  int failures = 0;
  while (report.next < list.count && report.next - list.from < most) {
    const bool merge = segment_ && report.next >= singly;
    uint32_t bound = most - (report.next - list.from);
    if (report.next < singly && bound > singly - report.next) bound = singly - report.next;
    uint32_t messages = fill(list, bound, merge, report);
    if (report.error) break;
    if (messages == 0) continue;
    int sent = sendmmsg(fd(), out.messages, messages, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      for (int i = 0; i < sent; i++) {
        report.next += out.segments[i];
        report.sent += out.segments[i];
        report.bytes += out.messages[i].msg_len;
      }
      continue;
    }
    int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN) {
      report.error = EAGAIN;
      break;
    }
    // What became of earlier datagrams (ICMP of any kind) is told at the next call, once: it says nothing of this one.
    if (failed != report.next) failures = 0;
    failed = report.next;
    if (failures++ < kAgain) continue;
    failures = 0;
    uint32_t segments = out.segments[0];
    if (segments > 1 && (error == EIO || error == EINVAL || error == EMSGSIZE)) {
      // EIO: the way out has no checksums for what it would cut (as quinn-udp found); the others: this size is not
      // for this way, whole datagrams may be.
      if (error == EIO) segment_ = false;
      else singly = report.next + segments;
      continue;
    }
    if (report.dropped == 0) {
      report.failed_index = report.next;
      report.failed_length = list.lengths[report.next];
      report.failed_error = error;
    }
    report.dropped += segments;
    report.next += segments;
  }
  return report;
}

bool UdpSocket::read_error(DatagramError& out) {
  sockaddr_storage name;
  alignas(cmsghdr) uint8_t control[512];
  uint8_t byte;
  iovec part = {&byte, sizeof byte};
  for (;;) {
    msghdr header = {&name, sizeof name, &part, 1, control, sizeof control, 0};
    if (recvmsg(fd(), &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length);
      return false;
    }
    for (cmsghdr* each = CMSG_FIRSTHDR(&header); each; each = CMSG_NXTHDR(&header, each)) {
      bool four = each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_RECVERR;
      bool six = each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_RECVERR;
      if (!four && !six) continue;
      auto error = control_value<sock_extended_err>(each);
      out.error = static_cast<int>(error.ee_errno);
      out.origin = error.ee_origin;
      out.type = error.ee_type;
      out.code = error.ee_code;
      out.mtu = error.ee_errno == EMSGSIZE ? error.ee_info : 0;
      out.endpoint = header.msg_namelen == 0
                         ? 0
                         : endpoints_.intern(Endpoint::of(reinterpret_cast<sockaddr*>(&name)));
      return true;
    }
  }
}

}  // namespace netloom
