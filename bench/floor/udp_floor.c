// The floor of UDP sockets: plain C with the calls that Netloom makes. udp_floor PORT
// Each line on standard input is a command, each answer a line of JSON:
//   send N SIZE ADDRESS PORT JOIN   N datagrams, 64 a message by UDP_SEGMENT, or 32 messages a call
//   receive N JOIN                  until N have come, or nothing for 300 ms; with UDP_GRO or 32 messages a call
//   flood MILLISECONDS SIZE ADDRESS PORT   joined datagrams, as fast as it goes
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

// As many datagrams lie side by side as in the batch that Netloom sends.
enum { MESSAGES = 32, SEGMENTS = 46, BATCH = 256, ROOM = 65536 };
static char out[BATCH * 1500];
static char in[MESSAGES][ROOM], controls[MESSAGES][64];
static struct mmsghdr messages[MESSAGES];
static struct iovec parts[MESSAGES];
static int fd;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000LL + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000LL;
}

static struct sockaddr_in to;
static void address(const char *text, int port) {
  to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, text, &to.sin_addr) != 1) die("inet_pton");
}

static int send_joined(const char *from, int count, int size) {
  char control[CMSG_SPACE(2)] = {0};
  struct iovec part = {(char *)from, (size_t)count * size};
  struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = IPPROTO_UDP, c->cmsg_type = UDP_SEGMENT, c->cmsg_len = CMSG_LEN(2);
  *(uint16_t *)CMSG_DATA(c) = (uint16_t)size;
  return sendmsg(fd, &m, 0) < 0 ? -1 : count;
}

static uint64_t send_all(long count, int size, int join) {
  long sent = 0;
  while (sent < count) {
    int n, at = (int)(sent % BATCH), most = join ? SEGMENTS : MESSAGES;
    if (most > count - sent) most = (int)(count - sent);
    if (most > BATCH - at) most = BATCH - at;
    if (join) {
      n = send_joined(out + (size_t)at * size, most, size);
    } else {
      for (int i = 0; i < most; i++) {
        parts[i] = (struct iovec){out + (size_t)(at + i) * size, (size_t)size};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &parts[i], .msg_iovlen = 1};
      }
      n = sendmmsg(fd, messages, (unsigned)most, 0);
    }
    if (n < 0) {
      if (errno == EAGAIN) continue;
      die("send");
    }
    sent += n;
  }
  return (uint64_t)sent;
}

static uint64_t receive(long count, int join) {
  uint64_t got = 0;
  int one = join;
  setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one);
  struct sockaddr_storage names[MESSAGES];
  while (got < (uint64_t)count) {
    struct pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, 300) <= 0) break;
    for (;;) {
      for (int i = 0; i < MESSAGES; i++) {
        parts[i] = (struct iovec){in[i], join ? ROOM : 2048};
        messages[i].msg_hdr = (struct msghdr){&names[i], sizeof names[i], &parts[i], 1, controls[i], sizeof controls[i], 0};
      }
      int n = recvmmsg(fd, messages, MESSAGES, MSG_DONTWAIT, NULL);
      if (n < 0) {
        if (errno == EAGAIN) break;
        die("recvmmsg");
      }
      for (int i = 0; i < n; i++) {
        int size = 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&messages[i].msg_hdr); c; c = CMSG_NXTHDR(&messages[i].msg_hdr, c))
          if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) size = *(int *)CMSG_DATA(c);
        got += size ? (messages[i].msg_len + size - 1) / size : 1;
      }
      if (n < MESSAGES) break;
    }
  }
  return got;
}

int main(int argc, char **argv) {
  char line[128], text[64];
  long count;
  int size, port, join, big = 64 << 20;
  memset(out, 1, sizeof out);  // or all of it would be one page of zeros, and never leave the cache
  fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0))};
  if (bind(fd, (void *)&here, sizeof here) < 0) die("bind");
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("{\"ready\":true}");
  while (fgets(line, sizeof line, stdin)) {
    int64_t wall = now(), used = cpu();
    uint64_t frames = 0;
    if (sscanf(line, "send %ld %d %63s %d %d", &count, &size, text, &port, &join) == 5) {
      address(text, port);
      frames = send_all(count, size, join);
    } else if (sscanf(line, "receive %ld %d", &count, &join) == 2) {
      frames = receive(count, join);
    } else if (sscanf(line, "flood %ld %d %63s %d", &count, &size, text, &port) == 4) {
      address(text, port);
      for (int64_t end = wall + count * 1000000; now() < end;) frames += (uint64_t)send_joined(out, SEGMENTS, size);
    }
    wall = now() - wall;
    printf("{\"frames\":%llu,\"wallNs\":%lld,\"cpuNs\":%lld}\n", (unsigned long long)frames, (long long)wall, (long long)(cpu() - used));
  }
}
