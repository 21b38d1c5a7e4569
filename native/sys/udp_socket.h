#pragma once
#include "endpoint_table.h"
#include "fd.h"
#include "frame_io.h"
#include "netns.h"

namespace netloom {

struct UdpOptions {
  int family;  // AF_INET, AF_INET6
  bool ipv6_only;
  Endpoint bind;
  Endpoint peer;  // family 0: not connected
  bool reuse_port;
  bool reuse_address;
  bool coalesce;  // UDP_GRO
  bool information;  // local address, interface and type of service of each datagram
  int receive_buffer;  // bytes; -1: the default
  int send_buffer;
  bool marked;
  uint32_t mark;
  int type_of_service;  // -1: the default
  int ttl;              // -1: the default
  int mtu_discovery;    // IP_PMTUDISC_*; -1: the default
  char device[16];      // empty: none
};

// OpenJob: a socket where the thread is. The payload's first byte tells whether the kernel coalesces, its second
// whether it segments.
void open_udp_socket(const void* options, Opened& out);

// Where datagrams are read to: columns hold one entry each, from `first` on.
struct DatagramRoom {
  uint8_t* data;
  size_t size;
  size_t cursor;
  uint32_t* offsets;
  uint32_t* lengths;
  uint32_t* endpoints;
  uint32_t* locals;      // the address it was sent to, as an endpoint without a port; 0: not known
  uint32_t* services;    // type of service, traffic class
  uint32_t* interfaces;  // index of the link it came in by; 0: not known
  uint32_t first;
  uint32_t places;  // in each column
};

struct DatagramReadReport {
  uint32_t datagrams = 0;
  uint64_t bytes = 0;
  uint32_t cut = 0;  // longer than there was room for: not counted in `datagrams`
  int error = 0;     // EAGAIN: the queue is empty; else why reading stopped; 0: a bound was met
};

struct DatagramList {
  const uint8_t* data;
  size_t size;
  const uint32_t* offsets;
  const uint32_t* lengths;
  const uint32_t* endpoints;  // by datagram; null: all to `endpoint`
  bool answer;                // they are those that datagrams came from: one that is known no more is refused (ESTALE)
  uint32_t endpoint;          // 0: to whom the socket is connected
  uint32_t local;             // the address to send from; 0: the kernel's choice
  int type_of_service;        // -1: the socket's
  uint32_t from;
  uint32_t count;
};

// What became of a datagram elsewhere: an entry of the socket's error queue, linux/errqueue.h.
struct DatagramError {
  int error;
  uint8_t origin;  // SO_EE_ORIGIN_*
  uint8_t type;    // of ICMP
  uint8_t code;
  uint32_t mtu;       // where that is what is wrong (EMSGSIZE), else 0
  uint32_t endpoint;  // to whom it went
};

// Datagrams in batches: recvmmsg and sendmmsg, with the kernel's coalescing (UDP_GRO) taken apart and its segmentation
// (UDP_SEGMENT) made use of. udp(7), ip(7), ipv6(7).
class UdpSocket {
 public:
  UdpSocket() = default;
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket();

  int fd() const { return fd_.get(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  void open(int fd, int family, bool coalesce, bool segment);
  // Lets go of the memory too, which is megabytes.
  void close();
  bool segments() const { return segment_; }
  EndpointTable& endpoints() { return endpoints_; }

  // Most datagrams that one message of the kernel's may hold: so many places must be free for the first.
  static constexpr uint32_t kMostSegments = 128;
  static constexpr size_t kLarge = 65536;

  // Bounds are met to a message of the kernel's.
  DatagramReadReport read(DatagramRoom& room, uint32_t most, size_t bytes);
  // Ends with ESTALE where the number of a datagram's endpoint, or of where to send from, is known no more.
  WriteReport write(const DatagramList& list, uint32_t most);
  // One entry of the error queue; false when there is none, and the socket is rid of its error.
  bool read_error(DatagramError& out);

 private:
  struct Incoming;
  struct Outgoing;
  bool fits(const DatagramRoom& room, const DatagramReadReport& report, size_t length) const;
  void place(int message, uint8_t* data, DatagramRoom& room, DatagramReadReport& report);
  void deliver_pending(DatagramRoom& room, DatagramReadReport& report, uint32_t most);
  uint32_t fill(const DatagramList& list, uint32_t most, bool merge, WriteReport& report);

  Fd fd_;
  int family_ = 0;
  int peer_family_ = 0;  // of whom it is connected to; AF_INET for a mapped address
  bool coalesce_ = false;
  bool segment_ = false;
  bool large_ = false;  // messages of many datagrams come: each gets room for 64 KiB
  EndpointTable endpoints_;
  // Messages that were read and had no room: they come first.
  int pending_ = 0;
  int pending_end_ = 0;
  Incoming* incoming_ = nullptr;
  Outgoing* outgoing_ = nullptr;
};

}  // namespace netloom
