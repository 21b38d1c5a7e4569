#pragma once
#include <stddef.h>
#include <stdint.h>

#include "result.h"

namespace netloom {

// What ethtool netlink does not have, by SIOCETHTOOL. `socket` is any socket of the device's namespace; `name` has
// IFNAMSIZ bytes and ends in a zero.

// Bytes of struct ethtool_drvinfo.
constexpr size_t kEthtoolDriverBytes = 196;
Failure read_ethtool_driver(int socket, const char* name, uint8_t* out);

// The driver's statistics: names of 32 bytes each, and values. The kernel writes as many as there are, whatever room
// there is, so it writes into a mapping with a guard behind it.
class EthtoolStatistics {
 public:
  EthtoolStatistics() = default;
  EthtoolStatistics(const EthtoolStatistics&) = delete;
  EthtoolStatistics& operator=(const EthtoolStatistics&) = delete;
  ~EthtoolStatistics();

  Failure read(int socket, const char* name);

  uint32_t count() const { return count_; }
  const uint8_t* names() const;
  const uint8_t* values() const;

 private:
  uint8_t* memory_ = nullptr;
  uint32_t count_ = 0;
};

}  // namespace netloom
