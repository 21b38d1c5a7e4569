#pragma once
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

namespace netloom {

// One end of UDP: what a sockaddr_in or sockaddr_in6 says. IPv4-mapped IPv6 addresses are IPv4 here.
struct Endpoint {
  uint8_t address[16];  // the first four bytes of it for IPv4, the rest zero
  uint32_t scope;
  uint16_t port;
  uint8_t family;  // AF_INET, AF_INET6; 0: none

  static Endpoint of(const sockaddr* address);
  // As a socket of this family takes it; gives the length, 0 if it cannot.
  socklen_t write(int family, sockaddr_storage* out) const;
  bool operator==(const Endpoint& other) const;
};

// Numbers for endpoints, so that a datagram carries four bytes and no text. Whoever can send datagrams can make
// endpoints up, so there are at most kMost; after that one that was not used for long gives its place to another, and
// its number is known no more.
class EndpointTable {
 public:
  static constexpr uint32_t kMost = 65536;

  EndpointTable() = default;
  EndpointTable(const EndpointTable&) = delete;
  EndpointTable& operator=(const EndpointTable&) = delete;
  ~EndpointTable();

  // Never 0.
  uint32_t intern(const Endpoint& endpoint);
  // Null: no such number, or no more.
  const Endpoint* find(uint32_t number);

 private:
  struct Place {
    Endpoint endpoint;
    uint32_t next;  // in its chain: place + 1, 0 at the end
    uint16_t generation;
    bool used;  // since the hand was here
  };
  uint32_t claim();
  void grow();
  uint32_t& head(const Endpoint& endpoint);

  Place* places_ = nullptr;
  uint32_t* heads_ = nullptr;
  uint32_t count_ = 0;
  uint32_t capacity_ = 0;
  uint32_t hand_ = 0;
};

}  // namespace netloom
