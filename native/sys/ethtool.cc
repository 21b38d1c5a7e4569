#include "ethtool.h"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace netloom {
namespace {

static_assert(sizeof(ethtool_drvinfo) == kEthtoolDriverBytes);

// Room for the names and for the values, each with a page behind it that nobody may write to. Only what is written
// takes memory.
constexpr size_t kRoom = 16 << 20, kGuard = 64 << 10, kMapping = 2 * (kRoom + kGuard);

// Drivers make and drop queues between calls; so often it is tried anew.
constexpr int kTries = 8;

Failure control(int socket, const char* name, void* command, const char* request) {
  ifreq device = {};
  memcpy(device.ifr_name, name, sizeof device.ifr_name);
  device.ifr_data = static_cast<char*>(command);
  return ioctl(socket, SIOCETHTOOL, &device) == 0 ? Failure() : Failure::last("ioctl", request);
}

}  // namespace

Failure read_ethtool_driver(int socket, const char* name, uint8_t* out) {
  ethtool_drvinfo info = {};
  info.cmd = ETHTOOL_GDRVINFO;
  Failure failure = control(socket, name, &info, "ETHTOOL_GDRVINFO");
  if (!failure) memcpy(out, &info, sizeof info);
  return failure;
}

EthtoolStatistics::~EthtoolStatistics() {
  if (memory_) munmap(memory_, kMapping);
}

Failure EthtoolStatistics::read(int socket, const char* name) {
  void* memory = mmap(nullptr, kMapping, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return Failure::last("mmap");
  memory_ = static_cast<uint8_t*>(memory);
  if (mprotect(memory_ + kRoom, kGuard, PROT_NONE) != 0 ||
      mprotect(memory_ + 2 * kRoom + kGuard, kGuard, PROT_NONE) != 0)
    return Failure::last("mprotect");
  auto* strings = reinterpret_cast<ethtool_gstrings*>(memory_);
  auto* statistics = reinterpret_cast<ethtool_stats*>(memory_ + kRoom + kGuard);
  for (int i = 0; i < kTries; i++) {
    strings->cmd = ETHTOOL_GSTRINGS;
    strings->string_set = ETH_SS_STATS;
    strings->len = 0;
    if (Failure failure = control(socket, name, strings, "ETHTOOL_GSTRINGS")) return failure;
    statistics->cmd = ETHTOOL_GSTATS;
    // Later kernels want to know how many there is room for.
    statistics->n_stats = strings->len;
    if (Failure failure = control(socket, name, statistics, "ETHTOOL_GSTATS")) return failure;
    if (statistics->n_stats != strings->len) continue;
    count_ = strings->len;
    return {};
  }
  return {EAGAIN, "ioctl", "ETHTOOL_GSTATS"};
}

const uint8_t* EthtoolStatistics::names() const { return reinterpret_cast<ethtool_gstrings*>(memory_)->data; }

const uint8_t* EthtoolStatistics::values() const {
  return reinterpret_cast<const uint8_t*>(reinterpret_cast<ethtool_stats*>(memory_ + kRoom + kGuard)->data);
}

}  // namespace netloom
