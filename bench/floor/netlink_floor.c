// The floor of rtnetlink: plain C that asks the kernel what Netloom asks, and does nothing else.
// Each line on standard input is a command, each answer a line of JSON:
//   dump route|link     lists, walking all attributes
//   add N LINK | del N LINK      N routes 10.x.y.z/32 over the link, 256 in a datagram, the last one acknowledged
//   count MILLISECONDS  notifications of IPv4 routes that come in that time
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 16];
static volatile uint64_t sink;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000LL + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000LL;
}

static int open_socket(uint32_t groups) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), one = 1, size = 4 << 20;
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof one);
  setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one);
  struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = groups};
  if (bind(fd, (void *)&a, sizeof a) < 0) die("bind");
  return fd;
}

static uint64_t dump(const char *what) {
  int links = !strcmp(what, "link"), fd = open_socket(0);
  size_t header = links ? sizeof(struct ifinfomsg) : sizeof(struct rtmsg);
  struct {
    struct nlmsghdr h;
    char body[32];
  } request = {{NLMSG_LENGTH(header), links ? RTM_GETLINK : RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {links ? 0 : AF_INET}};
  if (send(fd, &request, request.h.nlmsg_len, 0) < 0) die("send");
  uint64_t messages = 0;
  for (int done = 0; !done;) {
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_TRUNC);
    if (n < 0 || (size_t)n > sizeof buffer) die("recv");
    int left = (int)n;
    for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type == NLMSG_ERROR) die("dump");
      if (h->nlmsg_type == NLMSG_DONE) {
        done = 1;
        break;
      }
      messages++;
      int room = (int)h->nlmsg_len - (int)NLMSG_SPACE(header);
      for (struct rtattr *a = (void *)((char *)h + NLMSG_SPACE(header)); RTA_OK(a, room); a = RTA_NEXT(a, room))
        if (RTA_PAYLOAD(a) >= 4) sink += *(uint32_t *)RTA_DATA(a);
    }
  }
  close(fd);
  return messages;
}

static size_t put_route(char *p, int type, int flags, uint32_t sequence, uint32_t address, int link) {
  struct nlmsghdr *h = (void *)p;
  struct rtmsg *r = NLMSG_DATA(h);
  memset(p, 0, 44);
  h->nlmsg_len = 44;
  h->nlmsg_type = (uint16_t)type;
  h->nlmsg_flags = (uint16_t)flags;
  h->nlmsg_seq = sequence;
  r->rtm_family = AF_INET;
  r->rtm_dst_len = 32;
  r->rtm_table = RT_TABLE_MAIN;
  r->rtm_protocol = RTPROT_STATIC;
  r->rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : RT_SCOPE_LINK;
  r->rtm_type = type == RTM_DELROUTE ? 0 : RTN_UNICAST;
  struct rtattr *a = (void *)(p + NLMSG_SPACE(sizeof *r));
  a->rta_type = RTA_DST;
  a->rta_len = RTA_LENGTH(4);
  address = htonl(address);
  memcpy(RTA_DATA(a), &address, 4);
  a = (void *)((char *)a + RTA_SPACE(4));
  a->rta_type = RTA_OIF;
  a->rta_len = RTA_LENGTH(4);
  memcpy(RTA_DATA(a), &link, 4);
  return 44;
}

static uint64_t change(int type, long count, const char *device) {
  enum { kTogether = 256 };
  static char out[kTogether * 44];
  int fd = open_socket(0), link = (int)if_nametoindex(device);
  uint64_t failures = 0;
  for (long i = 0; i < count;) {
    size_t length = 0;
    uint32_t last = 0;
    for (int k = 0; k < kTogether && i < count; k++, i++) {
      int flags = NLM_F_REQUEST | (type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0);
      if (k == kTogether - 1 || i == count - 1) flags |= NLM_F_ACK;
      length += put_route(out + length, type, flags, last = (uint32_t)i + 1, 0x0a000000u + (uint32_t)i, link);
    }
    if (send(fd, out, length, 0) < 0) die("send");
    for (int done = 0; !done;) {
      ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n < 0) die("recv");
      int left = (int)n;
      for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
        if (h->nlmsg_type != NLMSG_ERROR) continue;
        if (*(int *)NLMSG_DATA(h)) failures++;
        if (h->nlmsg_seq == last) done = 1;
      }
    }
  }
  close(fd);
  return failures ? 0 : (uint64_t)count;
}

static uint64_t count_notifications(int milliseconds) {
  int fd = open_socket(RTMGRP_IPV4_ROUTE);
  uint64_t messages = 0;
  int64_t end = now(CLOCK_MONOTONIC) + milliseconds * 1000000LL;
  while (now(CLOCK_MONOTONIC) < end) {
    struct pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, 20) <= 0) continue;
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == ENOBUFS) continue;
    if (n < 0) die("recv");
    int left = (int)n;
    for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) messages++;
  }
  close(fd);
  return messages;
}

int main(void) {
  char line[128], word[32], name[32];
  long count;
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("{\"ready\":true}");
  while (fgets(line, sizeof line, stdin)) {
    int64_t wall = now(CLOCK_MONOTONIC), used = cpu();
    uint64_t messages = 0;
    if (sscanf(line, "dump %31s", word) == 1) messages = dump(word);
    else if (sscanf(line, "add %ld %31s", &count, name) == 2) messages = change(RTM_NEWROUTE, count, name);
    else if (sscanf(line, "del %ld %31s", &count, name) == 2) messages = change(RTM_DELROUTE, count, name);
    else if (sscanf(line, "count %ld", &count) == 1) messages = count_notifications((int)count);
    wall = now(CLOCK_MONOTONIC) - wall;
    printf("{\"items\":%llu,\"wallNs\":%lld,\"cpuNs\":%lld}\n", (unsigned long long)messages, (long long)wall, (long long)(cpu() - used));
  }
}
