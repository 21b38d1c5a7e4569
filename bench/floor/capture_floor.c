// The floor of capturing: a TPACKET_V3 ring that is walked in plain C, and the sender that makes the load.
//   capture_floor walk IF     reads the header of each frame; `copy`: and copies the frame
//   capture_floor blast
// Each line on standard input is a command, each answer a line of JSON:
//   count                              frames and drops since the start (walk, copy)
//   blast IF SIZE PER_SECOND MS        frames of UDP by sendmmsg, past the queueing discipline; PER_SECOND 0: all it can
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (512u << 10)
#define BLOCKS 64u

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// A line that is there; 0 when standard input has ended.
static int line(char *text, int size) {
  if (!fgets(text, size, stdin)) return 0;
  text[strcspn(text, "\n")] = 0;
  return 1;
}

static void walk(const char *name, int copy) {
  static uint8_t arena[1 << 18];
  size_t used = 0;
  uint64_t frames = 0, bytes = 0, drops = 0;
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), version = TPACKET_V3;
  if (fd < 0) die("socket");
  if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version)) die("PACKET_VERSION");
  struct tpacket_req3 request = {.tp_block_size = BLOCK,
                                 .tp_block_nr = BLOCKS,
                                 .tp_frame_size = 2048,
                                 .tp_frame_nr = BLOCK / 2048 * BLOCKS,
                                 .tp_retire_blk_tov = 10};
  if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request)) die("PACKET_RX_RING");
  uint8_t *ring = mmap(NULL, (size_t)BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (ring == MAP_FAILED) die("mmap");
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(name)};
  if (bind(fd, (void *)&address, sizeof address)) die("bind");
  printf("{\"ready\":true}\n");
  struct pollfd wait[2] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
  for (unsigned at = 0;;) {
    struct tpacket_block_desc *block = (void *)(ring + (size_t)at * BLOCK);
    if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
      if (poll(wait, 2, -1) > 0 && wait[1].revents) {
        char text[64];
        if (!line(text, sizeof text)) return;
        struct tpacket_stats_v3 statistics = {0};
        socklen_t length = sizeof statistics;
        getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &length);
        drops += statistics.tp_drops;
        printf("{\"frames\":%llu,\"bytes\":%llu,\"dropped\":%llu}\n", (unsigned long long)frames, (unsigned long long)bytes,
               (unsigned long long)drops);
      }
      continue;
    }
    uint32_t count = block->hdr.bh1.num_pkts;
    struct tpacket3_hdr *header = (void *)((uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
    for (uint32_t i = 0; i < count; i++) {
      bytes += header->tp_snaplen;
      if (copy) {
        if (used + header->tp_snaplen > sizeof arena) used = 0;
        memcpy(arena + used, (uint8_t *)header + header->tp_mac, header->tp_snaplen);
        used += header->tp_snaplen;
      }
      header = (void *)((uint8_t *)header + header->tp_next_offset);
    }
    frames += count;
    __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    if (++at == BLOCKS) at = 0;
  }
}

static void blast(void) {
  enum { batch = 64 };
  static uint8_t frame[65536] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 4, 0, 0, 9};
  struct mmsghdr messages[batch];
  struct iovec part = {frame, 0};
  struct sockaddr_ll address = {.sll_family = AF_PACKET};
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, size = 4 << 20;
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < batch; i++) {
    messages[i].msg_hdr.msg_name = &address;
    messages[i].msg_hdr.msg_namelen = sizeof address;
    messages[i].msg_hdr.msg_iov = &part;
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  printf("{\"ready\":true}\n");
  char text[128], name[32];
  while (line(text, sizeof text)) {
    long length, rate, milliseconds;
    if (sscanf(text, "blast %31s %ld %ld %ld", name, &length, &rate, &milliseconds) != 4) die("command");
    address.sll_ifindex = if_nametoindex(name);
    part.iov_len = length;
    uint16_t total = htons(length - 14), payload = htons(length - 34);
    memcpy(frame + 16, &total, 2);
    memcpy(frame + 38, &payload, 2);
    int64_t start = now(), end = start + milliseconds * 1000000;
    uint64_t sent = 0;
    for (int64_t t = start; t < end; t = now()) {
      if (rate && sent > (uint64_t)((t - start) * 1e-9 * rate)) continue;
      int n = sendmmsg(fd, messages, batch, 0);
      if (n > 0) sent += n;
    }
    printf("{\"frames\":%llu,\"wallNs\":%lld}\n", (unsigned long long)sent, (long long)(now() - start));
  }
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0);
  if (argc == 2 && !strcmp(argv[1], "blast")) blast();
  else if (argc == 3) walk(argv[2], !strcmp(argv[1], "copy"));
  else return 2;
  return 0;
}
