#include "../../native/sys/ethtool.h"

#include <linux/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../native/sys/fd.h"
#include "check.h"

using namespace netloom;

TEST(ethtool_refusals, "what has no driver or statistics is refused, and leaves no memory") {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  CHECK(socket);
  char none[IFNAMSIZ] = "no-such-link-00", loopback[IFNAMSIZ] = "lo";
  uint8_t bytes[kEthtoolDriverBytes];
  Failure failure = read_ethtool_driver(socket.get(), none, bytes);
  CHECK(failure.error == ENODEV && strcmp(failure.request, "ETHTOOL_GDRVINFO") == 0);
  for (int i = 0; i < 100; i++) {
    EthtoolStatistics statistics;
    CHECK(statistics.read(socket.get(), none).error == ENODEV);
    CHECK(statistics.count() == 0);
  }
  EthtoolStatistics statistics;
  failure = statistics.read(socket.get(), loopback);
  CHECK(failure.error == EOPNOTSUPP && strcmp(failure.request, "ETHTOOL_GSTRINGS") == 0);
  CHECK(read_ethtool_driver(-1, loopback, bytes).error == EBADF);
}
