#include "endpoint_table.h"

#include <stdlib.h>
#include <string.h>

namespace netloom {
namespace {

constexpr uint32_t kFirst = 64;
constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

uint32_t hash(const Endpoint& endpoint) {
  uint64_t words[2], sum = (uint64_t{endpoint.port} << 32 | endpoint.scope) ^ uint64_t{endpoint.family} << 48;
  memcpy(words, endpoint.address, sizeof words);
  for (uint64_t word : words) {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15;
    sum ^= sum >> 29;
  }
  return static_cast<uint32_t>(sum ^ sum >> 32);
}

}  // namespace

Endpoint Endpoint::of(const sockaddr* address) {
  Endpoint endpoint = {};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    endpoint.family = AF_INET;
    endpoint.port = ntohs(v4->sin_port);
    memcpy(endpoint.address, &v4->sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    endpoint.port = ntohs(v6->sin6_port);
    if (memcmp(&v6->sin6_addr, kMapped, sizeof kMapped) == 0) {
      endpoint.family = AF_INET;
      memcpy(endpoint.address, v6->sin6_addr.s6_addr + 12, 4);
    } else {
      endpoint.family = AF_INET6;
      endpoint.scope = v6->sin6_scope_id;
      memcpy(endpoint.address, &v6->sin6_addr, 16);
    }
  }
  return endpoint;
}

socklen_t Endpoint::write(int socket_family, sockaddr_storage* out) const {
  if (socket_family == AF_INET) {
    if (family != AF_INET) return 0;
    auto* v4 = reinterpret_cast<sockaddr_in*>(out);
    *v4 = {};
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    memcpy(&v4->sin_addr, address, 4);
    return sizeof *v4;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(out);
  *v6 = {};
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  if (family == AF_INET) {
    memcpy(&v6->sin6_addr, kMapped, sizeof kMapped);
    memcpy(v6->sin6_addr.s6_addr + 12, address, 4);
  } else {
    v6->sin6_scope_id = scope;
    memcpy(&v6->sin6_addr, address, 16);
  }
  return sizeof *v6;
}

bool Endpoint::operator==(const Endpoint& other) const {
  return port == other.port && family == other.family && scope == other.scope &&
         memcmp(address, other.address, sizeof address) == 0;
}

EndpointTable::~EndpointTable() {
  free(places_);
  free(heads_);
}

uint32_t& EndpointTable::head(const Endpoint& endpoint) { return heads_[hash(endpoint) & (capacity_ - 1)]; }

uint32_t EndpointTable::intern(const Endpoint& endpoint) {
  if (capacity_ == 0) grow();
  for (uint32_t at = head(endpoint); at != 0; at = places_[at - 1].next) {
    Place& place = places_[at - 1];
    if (!(place.endpoint == endpoint)) continue;
    place.used = true;
    return uint32_t{place.generation} << 16 | (at - 1);
  }
  uint32_t index = claim();
  Place& place = places_[index];
  uint32_t& first = head(endpoint);
  // From 1 on: no number is 0.
  place.generation = place.generation == 0xffff ? 1 : static_cast<uint16_t>(place.generation + 1);
  place.endpoint = endpoint;
  place.used = true;
  place.next = first;
  first = index + 1;
  return uint32_t{place.generation} << 16 | index;
}

const Endpoint* EndpointTable::find(uint32_t number) {
  uint32_t index = number & 0xffff;
  if (index >= count_ || places_[index].generation != number >> 16) return nullptr;
  places_[index].used = true;
  return &places_[index].endpoint;
}

// A place without an endpoint.
uint32_t EndpointTable::claim() {
  if (count_ == capacity_ && capacity_ < kMost) grow();
  if (count_ < capacity_) return count_++;
  while (places_[hand_].used) {
    places_[hand_].used = false;
    hand_ = (hand_ + 1) % count_;
  }
  uint32_t index = hand_;
  hand_ = (hand_ + 1) % count_;
  uint32_t* link = &head(places_[index].endpoint);
  while (*link != index + 1) link = &places_[*link - 1].next;
  *link = places_[index].next;
  return index;
}

void EndpointTable::grow() {
  uint32_t capacity = capacity_ == 0 ? kFirst : capacity_ * 2;
  auto* places = static_cast<Place*>(realloc(places_, capacity * sizeof(Place)));
  auto* heads = static_cast<uint32_t*>(calloc(capacity, sizeof(uint32_t)));
  if (!places || !heads) abort();
  memset(static_cast<void*>(places + count_), 0, (capacity - count_) * sizeof(Place));
  free(heads_);
  places_ = places;
  heads_ = heads;
  capacity_ = capacity;
  for (uint32_t i = 0; i < count_; i++) {
    uint32_t& first = head(places_[i].endpoint);
    places_[i].next = first;
    first = i + 1;
  }
}

}  // namespace netloom
