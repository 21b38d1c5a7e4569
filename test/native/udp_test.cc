#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "../../native/sys/udp_socket.h"
#include "check.h"
#include "random.h"

using namespace netloom;

namespace {

Endpoint v4(const char* address, uint16_t port) {
  Endpoint endpoint = {};
  endpoint.family = AF_INET;
  endpoint.port = port;
  inet_pton(AF_INET, address, endpoint.address);
  return endpoint;
}

UdpOptions defaults() {
  UdpOptions options = {};
  options.family = AF_INET6;
  options.bind.family = AF_INET6;
  options.coalesce = true;
  options.information = true;
  options.receive_buffer = 1 << 22;
  options.send_buffer = options.type_of_service = options.ttl = options.mtu_discovery = -1;
  return options;
}

// Columns and memory exactly as large as asked for, so that the sanitizer sees one too many.
struct Room {
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> offsets, lengths, endpoints, locals, services, interfaces;
  DatagramRoom room;
  Room(size_t size, uint32_t places)
      : bytes(size), offsets(places), lengths(places), endpoints(places), locals(places), services(places), interfaces(places) {
    room = {bytes.data(), size, 0, offsets.data(), lengths.data(), endpoints.data(), locals.data(), services.data(), interfaces.data(), 0, places};
  }
};

struct Datagrams {
  std::string bytes;
  std::vector<uint32_t> offsets, lengths;
  void add(size_t length, char fill) {
    offsets.push_back(bytes.size());
    lengths.push_back(length);
    bytes += std::string(length, fill);
  }
  DatagramList list(uint32_t endpoint) {
    return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), offsets.data(), lengths.data(), nullptr, false, endpoint, 0, -1, 0, static_cast<uint32_t>(offsets.size())};
  }
};

bool own_network() {
  if (unshare(CLONE_NEWNET) != 0) return false;
  // The loopback of a new namespace is down: SIOCSIFFLAGS.
  return system("ip link set lo up") == 0;
}

}  // namespace

TEST(endpoint_numbers, "endpoints have numbers, and equal ones the same") {
  EndpointTable table;
  uint32_t one = table.intern(v4("10.0.0.1", 1)), two = table.intern(v4("10.0.0.1", 2));
  CHECK(one != 0 && two != 0 && one != two);
  CHECK(table.intern(v4("10.0.0.1", 1)) == one);
  CHECK(table.find(one)->port == 1);
  CHECK(table.find(0) == nullptr);
  CHECK(table.find(one + 100) == nullptr);
  CHECK(table.find(one ^ 0x10000) == nullptr);
}

TEST(endpoint_eviction, "numbers of those that were not used for long are known no more") {
  EndpointTable table;
  uint32_t kept = table.intern(v4("10.0.0.1", 1)), lost = table.intern(v4("10.0.0.2", 1));
  uint32_t known = 0;
  for (uint32_t i = 0; i < 3 * EndpointTable::kMost; i++) {
    char address[32];
    snprintf(address, sizeof address, "192.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
    uint32_t number = table.intern(v4(address, 7));
    CHECK(number != 0);
    if (const Endpoint* found = table.find(number)) known += found->port == 7;
    if (table.find(kept) == nullptr) kept = table.intern(v4("10.0.0.1", 1));
  }
  CHECK(known == 3 * EndpointTable::kMost);
  CHECK(table.find(lost) == nullptr);
  const Endpoint* found = table.find(table.intern(v4("10.0.0.1", 1)));
  CHECK(found && *found == v4("10.0.0.1", 1));
}

namespace {

// Two sockets over the loopback of a namespace of this process.
struct Pair {
  UdpSocket here, there;
  uint32_t to = 0;  // `here`, as `there` knows it
  bool opened = false;
  Pair() {
    if (!own_network()) return;
    UdpOptions options = defaults();
    for (UdpSocket* socket : {&here, &there}) {
      Opened opened;
      open_udp_socket(&options, opened);
      if (opened.failure) return;
      socket->open(opened.descriptors[0], AF_INET6, opened.payload[0], opened.payload[1]);
    }
    sockaddr_in6 name = {};
    socklen_t length = sizeof name;
    getsockname(here.fd(), reinterpret_cast<sockaddr*>(&name), &length);
    to = there.endpoints().intern(v4("127.0.0.1", ntohs(name.sin6_port)));
    opened = true;
  }
};

}  // namespace

TEST(udp_round_trip, "datagrams of all kinds come back as they were, however little room there is") {
  Pair pair;
  if (!pair.opened) SKIP("needs root");
  auto& [here, there, to, opened] = pair;
  for (size_t room_size : {size_t{65536 + 64}, size_t{80000}, size_t{320 * 1024}}) {
    Datagrams sent;
    for (int i = 0; i < 150; i++) sent.add(1200, static_cast<char>(i));
    sent.add(0, 0);
    for (int i = 0; i < 200; i++) sent.add(i * 7 % 1500, static_cast<char>(i));
    sent.add(60000, 'x');
    for (int i = 0; i < 30; i++) sent.add(3000, static_cast<char>(i));
    DatagramList list = sent.list(to);
    size_t next = 0;
    while (list.from < list.count || next < sent.lengths.size()) {
      if (list.from < list.count) {
        WriteReport done = there.write(list, 64);
        CHECK(done.dropped == 0);
        list.from = done.next;
      }
      for (;;) {
        Room room(room_size, 256);
        DatagramReadReport done = here.read(room.room, 64, 1 << 20);
        CHECK(done.cut == 0);
        for (uint32_t i = 0; i < done.datagrams; i++, next++) {
          CHECK(room.lengths[i] == sent.lengths[next]);
          CHECK(memcmp(room.bytes.data() + room.offsets[i], sent.bytes.data() + sent.offsets[next], room.lengths[i]) == 0);
          CHECK(here.endpoints().find(room.endpoints[i]) != nullptr);
        }
        if (done.error == EAGAIN) break;
        CHECK(done.error == 0);
      }
    }
    CHECK(next == sent.lengths.size());
  }

  // What is wrong with one leaves the others as they are.
  Datagrams mixed;
  mixed.add(10, 'a');
  mixed.add(10, 'b');
  mixed.add(10, 'c');
  mixed.offsets[1] = 1000;
  WriteReport done = there.write(mixed.list(to), 100);
  CHECK(done.sent == 2 && done.dropped == 1 && done.failed_index == 1 && done.failed_error == ERANGE);
  mixed.offsets[1] = 10;
  const uint32_t lost = to ^ 0x20000;
  done = there.write(mixed.list(lost), 100);
  CHECK(done.sent == 0 && done.dropped == 0 && done.next == 0 && done.error == ESTALE);
  const uint32_t whom[] = {to, lost, to};
  DatagramList each = mixed.list(0);
  each.endpoints = whom;
  done = there.write(each, 100);
  CHECK(done.sent == 1 && done.dropped == 0 && done.next == 1 && done.error == ESTALE);
  each.answer = true;
  done = there.write(each, 100);
  CHECK(done.sent == 2 && done.dropped == 1 && done.failed_index == 1 && done.failed_error == ESTALE);

  DatagramList forgotten = mixed.list(to);
  forgotten.local = to ^ 0x20000;
  done = there.write(forgotten, 100);
  CHECK(done.sent == 0 && done.dropped == 0 && done.next == 0 && done.error == ESTALE);

  // Nobody listens there: told by the queue of errors, which ends.
  uint32_t closed = there.endpoints().intern(v4("127.0.0.1", 1));
  there.write(mixed.list(closed), 100);
  DatagramError error = {};
  bool told = false;
  while (there.read_error(error)) told |= error.error == ECONNREFUSED && error.endpoint == closed;
  CHECK(told);
  pollfd poll_fd = {there.fd(), POLLIN, 0};
  CHECK(poll(&poll_fd, 1, 0) == 0);
}

TEST(udp_room, "no datagram is written over while there is room, in whatever order long and short ones come") {
  Pair pair;
  if (!pair.opened) SKIP("needs root");
  auto& [here, there, to, opened] = pair;
  Random random(1);
  for (int round = 0; round < 60; round++) {
    Datagrams sent;
    const int runs = 1 + static_cast<int>(random.below(12));
    for (int i = 0; i < runs; i++) {
      // A run of one length comes as one, joined; one alone comes alone.
      const size_t length = random.below(3) == 0 ? random.below(9000) : random.below(1500);
      const int times = random.below(2) == 0 ? 1 : 1 + static_cast<int>(random.below(30));
      for (int k = 0; k < times; k++) sent.add(length, static_cast<char>(sent.lengths.size()));
    }
    WriteReport done = there.write(sent.list(to), UINT32_MAX);
    CHECK(done.dropped == 0 && done.next == sent.lengths.size());
    size_t next = 0;
    while (next < sent.lengths.size()) {
      // Read in pieces to one room until it is full; only then is it looked at.
      Room room(65536 + 64 + random.below(400 * 1024), 128 + static_cast<uint32_t>(random.below(512)));
      uint32_t held = 0;
      for (;;) {
        DatagramReadReport read = here.read(room.room, 1 + static_cast<uint32_t>(random.below(80)), 1 + random.below(1 << 18));
        held += read.datagrams;
        room.room.first = held;
        CHECK(read.cut == 0);
        if (read.error == EAGAIN || read.datagrams == 0) break;
      }
      CHECK(held > 0);
      for (uint32_t i = 0; i < held; i++, next++) {
        CHECK(room.lengths[i] == sent.lengths[next]);
        CHECK(memcmp(room.bytes.data() + room.offsets[i], sent.bytes.data() + sent.offsets[next], room.lengths[i]) == 0);
      }
    }
    CHECK(next == sent.lengths.size());
  }
}
