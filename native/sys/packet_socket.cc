#include "packet_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace netloom {
namespace {

Failure set(int fd, int option, const char* name, int value) {
  if (setsockopt(fd, SOL_PACKET, option, &value, sizeof value) == 0) return {};
  return Failure::last("setsockopt", name);
}

// The device stamps what it receives, if it can: SIOCSHWTSTAMP, Documentation/networking/timestamping.rst.
Failure stamp_in_hardware(int fd, int32_t interface) {
  ifreq request = {};
  request.ifr_ifindex = interface;
  if (ioctl(fd, SIOCGIFNAME, &request) != 0) return Failure::last("ioctl", "SIOCGIFNAME");
  hwtstamp_config config = {};
  config.tx_type = HWTSTAMP_TX_OFF;
  config.rx_filter = HWTSTAMP_FILTER_ALL;
  request.ifr_data = reinterpret_cast<char*>(&config);
  if (ioctl(fd, SIOCSHWTSTAMP, &request) != 0) return Failure::last("ioctl", "SIOCSHWTSTAMP");
  return set(fd, PACKET_TIMESTAMP, "PACKET_TIMESTAMP", SOF_TIMESTAMPING_RAW_HARDWARE);
}

// What must be set while the socket is bound to nothing and has no ring.
Failure prepare(int fd, const PacketOptions& options) {
  Failure failure;
  if ((failure = set(fd, PACKET_VERSION, "PACKET_VERSION", options.low_latency ? TPACKET_V2 : TPACKET_V3))) return failure;
  if ((failure = set(fd, PACKET_RESERVE, "PACKET_RESERVE", kPacketReserve))) return failure;
  if (options.ignore_outgoing && (failure = set(fd, PACKET_IGNORE_OUTGOING, "PACKET_IGNORE_OUTGOING", 1))) return failure;
  if (options.vnet_header && (failure = set(fd, PACKET_VNET_HDR, "PACKET_VNET_HDR", 1))) return failure;
  if (options.qdisc_bypass && (failure = set(fd, PACKET_QDISC_BYPASS, "PACKET_QDISC_BYPASS", 1))) return failure;
  if (options.hardware_time && (failure = stamp_in_hardware(fd, options.interface))) return failure;
  if (options.low_latency) {
    // A frame that is longer than its slot comes by the queue of the socket, whose bound is that of the ring.
    if ((failure = set(fd, PACKET_COPY_THRESH, "PACKET_COPY_THRESH", 1))) return failure;
    uint64_t bytes = static_cast<uint64_t>(options.block_size) * options.block_count;
    int buffer = bytes > INT32_MAX ? INT32_MAX : static_cast<int>(bytes);
    // Beyond net.core.rmem_max only with CAP_NET_ADMIN in the first user namespace; less is better than nothing.
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  }
  return {};
}

Failure make_ring(int fd, const PacketOptions& options) {
  tpacket_req3 request = {};
  request.tp_block_size = options.block_size;
  request.tp_block_nr = options.block_count;
  request.tp_frame_size = options.frame_size;
  request.tp_frame_nr = options.block_size / options.frame_size * options.block_count;
  request.tp_retire_blk_tov = options.timeout_ms;
  socklen_t length = options.low_latency ? sizeof(tpacket_req) : sizeof(tpacket_req3);
  if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, length) == 0) return {};
  return Failure::last("setsockopt", "PACKET_RX_RING");
}

Failure join(int fd, int32_t interface, uint16_t type, const uint8_t* address) {
  packet_mreq request = {};
  request.mr_ifindex = interface;
  request.mr_type = type;
  if (address) {
    request.mr_alen = 6;
    memcpy(request.mr_address, address, 6);
  }
  if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0) return {};
  return Failure::last("setsockopt", "PACKET_ADD_MEMBERSHIP");
}

Failure join_groups(int fd, const PacketOptions& options) {
  Failure failure;
  if (options.promiscuous && (failure = join(fd, options.interface, PACKET_MR_PROMISC, nullptr))) return failure;
  if (options.all_multicast && (failure = join(fd, options.interface, PACKET_MR_ALLMULTI, nullptr))) return failure;
  for (uint32_t i = 0; i < options.multicast_count && !failure; i++)
    failure = join(fd, options.interface, PACKET_MR_MULTICAST, options.multicast + 6 * i);
  return failure;
}

Failure join_fanout(int fd, const PacketOptions& options, PacketIdentity& identity) {
  uint32_t argument = options.fanout;
  if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &argument, sizeof argument) != 0)
    return Failure::last("setsockopt", "PACKET_FANOUT");
  if (options.fanout_descriptor >= 0) {
    Failure failure = set(fd, PACKET_FANOUT_DATA, "PACKET_FANOUT_DATA", options.fanout_descriptor);
    if (failure) return failure;
  } else if (options.fanout_instructions > 0) {
    sock_fprog program = {options.fanout_instructions,
                          reinterpret_cast<sock_filter*>(const_cast<uint8_t*>(options.fanout_program))};
    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program) != 0)
      return Failure::last("setsockopt", "PACKET_FANOUT_DATA");
  }
  int joined = 0;
  socklen_t length = sizeof joined;
  if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &joined, &length) != 0) return Failure::last("getsockopt", "PACKET_FANOUT");
  identity.fanout_group = joined & 0xffff;
  return {};
}

Failure open_all(int fd, const PacketOptions& options, PacketIdentity& identity) {
  Failure failure;
  if ((failure = prepare(fd, options))) return failure;
  sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  if ((failure = attach_packet_filter(fd, reinterpret_cast<uint8_t*>(&nothing), 1))) return failure;
  if ((failure = make_ring(fd, options))) return failure;
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(options.protocol);
  address.sll_ifindex = options.interface;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return Failure::last("bind", "AF_PACKET");
  identity.down = take_packet_error(fd) == ENETDOWN;
  if ((failure = join_groups(fd, options))) return failure;
  if (options.join_fanout && (failure = join_fanout(fd, options, identity))) return failure;
  failure = attach_packet_filter(fd, options.filter, options.filter_instructions);
  if (!failure) return {};
  identity.filter_error = failure.error;
  return attach_packet_filter(fd, options.fallback, options.fallback_instructions);
}

uint16_t protocol_of_packet(const uint8_t* packet, uint32_t length) {
  return htons(length > 0 && packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
}

}  // namespace

void open_packet_socket(const void* argument, Opened& out) {
  const auto& options = *static_cast<const PacketOptions*>(argument);
  // Of no protocol: nothing arrives before it is bound.
  Fd fd(socket(AF_PACKET, (options.cooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    out.failure = Failure::last("socket", "AF_PACKET");
    return;
  }
  PacketIdentity identity = {};
  identity.fanout_group = -1;
  if ((out.failure = open_all(fd.get(), options, identity))) return;
  static_assert(sizeof identity <= sizeof out.payload);
  memcpy(out.payload, &identity, sizeof identity);
  out.add(static_cast<Fd&&>(fd));
}

Failure attach_packet_filter(int fd, const uint8_t* program, uint16_t instructions) {
  sock_fprog filter = {instructions, reinterpret_cast<sock_filter*>(const_cast<uint8_t*>(program))};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) return {};
  return Failure::last("setsockopt", "SO_ATTACH_FILTER");
}

int take_packet_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

bool packet_interface_is_gone(int fd) {
  sockaddr_ll address = {};
  socklen_t length = sizeof address;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 && address.sll_ifindex < 0;
}

WriteReport PacketWriter::write(int fd, const PacketSending& how, const FrameList& list, uint32_t max_frames,
                                WritingMemory& memory) {
  constexpr uint32_t kBatch = 64;
  static const VnetHeader no_header = {};
  mmsghdr messages[kBatch];
  iovec parts[kBatch][2];
  sockaddr_ll addresses[kBatch];
  WriteReport report;
  report.next = list.from;
  uint32_t end = list.count - list.from > max_frames ? list.from + max_frames : list.count;
  auto refuse = [&](int error) {
    report.refuse(report.next, list.lengths[report.next], error);
    report.next++;
  };
  auto kinds_at = [&](uint32_t i) -> uint8_t { return list.headers ? kinds_of(list.headers[i]) : 0; };
  // The header that packet sockets take has no room for tunnels.
  uint8_t cut_kinds = how.refused | kUdpTunnels;
  auto is_cut = [&](uint32_t i) {
    return list.headers && list.headers[i].asks() && (!how.vnet_header || (kinds_at(i) & cut_kinds));
  };
  // Where a message goes to, and without its parts.
  auto address = [&](msghdr& message, uint32_t slot, const uint8_t* frame, uint32_t length) {
    message = {};
    message.msg_iov = parts[slot];
    if (!how.cooked) return;
    addresses[slot] = {};
    addresses[slot].sll_family = AF_PACKET;
    addresses[slot].sll_ifindex = how.interface;
    addresses[slot].sll_protocol = protocol_of_packet(frame, length);
    message.msg_name = &addresses[slot];
    message.msg_namelen = sizeof addresses[slot];
  };
  auto send_alone = [&](const uint8_t* frame, size_t length) {
    msghdr message;
    address(message, 0, frame, static_cast<uint32_t>(length));
    if (how.vnet_header) parts[0][message.msg_iovlen++] = {const_cast<VnetHeader*>(&no_header), how.vnet_header};
    parts[0][message.msg_iovlen++] = {const_cast<uint8_t*>(frame), length};
    ssize_t n;
    do n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
  };
  // The frame that comes next, whose kinds may have been refused; false: the socket can't go on.
  auto cut = [&](uint8_t kinds) {
    const uint32_t i = report.next;
    int error = cutter_.cut(list.data + list.offsets[i], list.lengths[i], list.headers[i], !how.cooked, memory, send_alone);
    if (error == EAGAIN || error == EBADF) {
      report.error = error;
      return false;
    }
    if (error) {
      refuse(error);
      return true;
    }
    if (!(kinds & taken_)) {
      report.refused |= kinds;
      cut_kinds |= kinds;
    }
    report.bytes += list.lengths[i];
    report.sent++;
    report.next++;
    return true;
  };
  while (report.next < end) {
    const uint32_t first = report.next;
    if (!list.holds(first)) {
      refuse(ERANGE);
      continue;
    }
    if (is_cut(first)) {
      if (!cut(0)) return report;
      continue;
    }
    uint32_t count = 0;
    for (uint32_t i = first; i < end && count < kBatch && list.holds(i) && !is_cut(i); i++, count++) {
      msghdr& message = messages[count].msg_hdr;
      const uint8_t* frame = list.data + list.offsets[i];
      address(message, count, frame, list.lengths[i]);
      if (how.vnet_header) {
        const VnetHeader& header = list.headers ? list.headers[i] : no_header;
        parts[count][message.msg_iovlen++] = {const_cast<VnetHeader*>(&header), how.vnet_header};
      }
      parts[count][message.msg_iovlen++] = {const_cast<uint8_t*>(frame), list.lengths[i]};
    }
    int sent;
    do sent = sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EBADF) {
        report.error = errno;
        return report;
      }
      // Kernels before 6.2 do not know USO.
      if (errno == EINVAL && kinds_at(first)) {
        if (!cut(kinds_at(first))) return report;
      } else {
        refuse(errno);
      }
      continue;
    }
    for (uint32_t i = first; i < first + static_cast<uint32_t>(sent); i++) {
      report.bytes += list.lengths[i];
      taken_ |= kinds_at(i);
    }
    report.sent += static_cast<uint32_t>(sent);
    report.next += static_cast<uint32_t>(sent);
  }
  return report;
}

}  // namespace netloom
