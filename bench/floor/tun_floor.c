/* Floors for TAP and TUN work: the least that a plain C loop pays for the same system calls.
 *
 *   tun_floor drain tun|tap IF           on "drain N":   reads until the ring is empty
 *   tun_floor flood tun|tap IF           on "flood MS":  poll, then read until the ring is empty, over and over
 *   tun_floor send tun IF SIZE           on "send N":    writes N UDP/IPv4 packets of SIZE bytes,
 *                                        64 different ones over and over
 *   tun_floor forward tun|tap plain|whole IFA IFB FD
 *                                        on "forward":   moves frames both ways between IFA here and IFB in the
 *                                                        namespace behind descriptor FD; `whole`: with virtio-net
 *                                                        headers and all offloads, super-frames untouched
 *   tun_floor veth plain|whole IF LINK   on "forward":   the same between the TAP IF and a packet socket on LINK
 *   tun_floor echo tun|tap IF            on "echo":      answers ICMP echo, UDP and, on TAP, ARP requests
 *   tun_floor blast                      on "blast ADDRESS SIZE COUNT MS": UDP/IPv4 packets of SIZE bytes by
 *                                        sendmmsg, until COUNT or MS is reached (0: no bound)
 *
 * "drain-direct N" and "send-direct N" do the same with the system call inlined instead of libc's function.
 *
 * Opens its devices in the namespace it runs in and prints {"ready":true}; setting the links up is the caller's
 * work. Commands come as lines on standard input, each answered by one line of JSON; what has no bound of its own
 * goes on until SIGUSR2. CPU time is getrusage's of the whole process, in nanoseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static volatile sig_atomic_t stopped;

static void stop(int number) {
  (void)number;
  stopped = 1;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* What a piece of work cost. */
struct cost {
  double wall, cpu; /* ns */
};

static struct cost clocks(void) {
  struct timespec t;
  struct rusage u;
  clock_gettime(CLOCK_MONOTONIC, &t);
  getrusage(RUSAGE_SELF, &u);
  return (struct cost){t.tv_sec * 1e9 + t.tv_nsec,
                       (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3};
}

/* `stopped` is set after so many milliseconds; 0: not by time. Repeated, in case the first comes just before a wait. */
static void limit(int milliseconds) {
  struct itimerval t = {{0, milliseconds ? 100000 : 0}, {milliseconds / 1000, milliseconds % 1000 * 1000}};
  stopped = 0;
  setitimer(ITIMER_REAL, &t, NULL);
}

static void answer(struct cost from, long frames, long bytes, long lost) {
  struct cost to = clocks();
  limit(0);
  printf("{\"frames\":%ld,\"bytes\":%ld,\"lost\":%ld,\"wallNs\":%.0f,\"cpuNs\":%.0f}\n", frames, bytes, lost,
         to.wall - from.wall, to.cpu - from.cpu);
}

static int open_device(const char *name, int tap, int whole, int nonblock) {
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | (nonblock ? O_NONBLOCK : 0));
  if (fd < 0) die("/dev/net/tun");
  struct ifreq r = {0};
  strncpy(r.ifr_name, name, IFNAMSIZ - 1);
  r.ifr_flags = (tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI | (whole ? IFF_VNET_HDR : 0);
  if (ioctl(fd, TUNSETIFF, &r)) die("TUNSETIFF");
  unsigned mask = whole ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6 : 0;
  if (ioctl(fd, TUNSETOFFLOAD, mask) && ioctl(fd, TUNSETOFFLOAD, mask & ~(TUN_F_USO4 | TUN_F_USO6))) die("TUNSETOFFLOAD");
  return fd;
}

/* What arrives at a link; with `whole` behind a virtio-net header, as on a device. */
static int open_packet(const char *name, int whole) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, memory = 32 << 20;
  struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(name)};
  struct packet_mreq all = {.mr_ifindex = link.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
  if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
      setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &whole, sizeof whole) ||
      setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) ||
      setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &memory, sizeof memory) ||
      setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &memory, sizeof memory) || bind(fd, (struct sockaddr *)&link, sizeof link))
    die(name);
  return fd;
}

/* As open_device, in the namespace behind a descriptor. */
static int open_inside(int namespace, const char *name, int tap, int whole) {
  int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0 || setns(namespace, CLONE_NEWNET)) die("setns");
  int fd = open_device(name, tap, whole, 1);
  if (setns(home, CLONE_NEWNET)) die("setns");
  close(home);
  return fd;
}

/* Frames in memory one after the other, when sending. */
#define BATCH 64

static char buf[70000];

static void drain(int fd) {
  struct cost from = clocks();
  long frames = 0, bytes = 0;
  ssize_t n;
  while ((n = read(fd, buf, sizeof buf)) >= 0) frames++, bytes += n;
  if (errno != EAGAIN) die("read");
  answer(from, frames, bytes, 0);
}

/* As libc's read and write, but with nothing to return from after the system call. */
static inline ssize_t direct(long number, int fd, const void *memory, size_t size) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(fd), "S"(memory), "d"(size) : "rcx", "r11", "memory");
  return result;
#else
  return syscall(number, fd, memory, size);
#endif
}

static void drain_direct(int fd) {
  struct cost from = clocks();
  long frames = 0, bytes = 0;
  ssize_t n;
  while ((n = direct(SYS_read, fd, buf, sizeof buf)) >= 0) frames++, bytes += n;
  answer(from, frames, bytes, 0);
}

static void flood(int fd, int milliseconds) {
  struct pollfd p = {fd, POLLIN, 0};
  long frames = 0, bytes = 0;
  limit(milliseconds);
  struct cost from = clocks();
  while (!stopped) {
    ssize_t n;
    poll(&p, 1, -1);
    while (!stopped && (n = read(fd, buf, sizeof buf)) >= 0) frames++, bytes += n;
  }
  answer(from, frames, bytes, 0);
}

static unsigned short checksum(const void *p, int n) {
  unsigned sum = 0;
  for (const unsigned short *q = p; n > 1; n -= 2) sum += *q++;
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

/* From and to addresses that are nobody's: the kernel takes the packet, finds no route for it and drops it. */
static void send_frames(int fd, int size, long count, int inlined) {
  static unsigned char p[BATCH * 1500];
  const unsigned char head[28] = {0x45, 0, size >> 8, size, 0, 1, 0, 0, 64, 17, 0, 0, 198, 18, 0, 2, 198, 18, 0, 1,
                                  0x12, 0x34, 0, 9, (size - 20) >> 8, size - 20};
  unsigned short sum = checksum(head, 20);
  if (size > 1500) die("size");
  for (int i = 0; i < BATCH; i++) {
    memcpy(p + i * size, head, sizeof head);
    memcpy(p + i * size + 10, &sum, 2);
  }
  long lost = 0;
  struct cost from = clocks();
  if (inlined) {
    for (long i = 0; i < count; i++) lost += direct(SYS_write, fd, p + i % BATCH * size, size) < 0;
  } else {
    for (long i = 0; i < count; i++) lost += write(fd, p + i % BATCH * size, size) < 0;
  }
  answer(from, count, count * size, lost);
}

static void forward(const int *fd) {
  long frames = 0, bytes = 0, lost = 0;
  struct pollfd p[2] = {{fd[0], POLLIN, 0}, {fd[1], POLLIN, 0}};
  limit(0);
  struct cost from = clocks();
  while (!stopped) {
    if (poll(p, 2, -1) < 0) continue;
    for (int i = 0; i < 2; i++) {
      if (!(p[i].revents & POLLIN)) continue;
      for (int n = 0; n < 64; n++) {
        ssize_t k = read(fd[i], buf, sizeof buf);
        if (k < 0) break;
        if (write(fd[!i], buf, k) < 0) lost++;
        frames++, bytes += k;
      }
    }
  }
  answer(from, frames, bytes, lost);
}

static void swap(unsigned char *a, unsigned char *b, int n) {
  while (n-- > 0) {
    unsigned char t = *a;
    *a++ = *b;
    *b++ = t;
  }
}

/* Turns a request into its answer, in place; false: nothing to answer. */
static int turn(unsigned char *frame, ssize_t length, int tap) {
  static const unsigned char mac[6] = {2, 0, 0, 0, 0, 0x77};
  unsigned char *ip = frame + (tap ? 14 : 0);
  if (tap) {
    if (length < 14) return 0;
    if (length >= 42 && frame[12] == 8 && frame[13] == 6 && ip[7] == 1) {
      ip[7] = 2;
      swap(ip + 8, ip + 18, 10);
      memcpy(ip + 8, mac, 6);
      memcpy(frame, frame + 6, 6);
      memcpy(frame + 6, mac, 6);
      return 1;
    }
    if (frame[12] != 8 || frame[13] != 0) return 0;
    length -= 14;
  }
  if (length < 28 || ip[0] != 0x45) return 0;
  if (ip[9] == 1) {
    if (ip[20] != 8) return 0;
    ip[20] = 0;
    unsigned sum = (ip[22] << 8 | ip[23]) + 0x0800;
    sum = (sum & 0xffff) + (sum >> 16);
    ip[22] = sum >> 8;
    ip[23] = sum;
  } else if (ip[9] == 17) {
    swap(ip + 20, ip + 22, 2);
  } else {
    return 0;
  }
  swap(ip + 12, ip + 16, 4);
  if (tap) {
    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, mac, 6);
  }
  return 1;
}

static void echo(int fd, int tap) {
  struct pollfd p = {fd, POLLIN, 0};
  long frames = 0, bytes = 0, lost = 0;
  limit(0);
  struct cost from = clocks();
  while (!stopped) {
    ssize_t n;
    poll(&p, 1, -1);
    while ((n = read(fd, buf, sizeof buf)) >= 0) {
      if (!turn((unsigned char *)buf, n, tap)) continue;
      if (write(fd, buf, n) < 0) lost++;
      frames++, bytes += n;
    }
  }
  answer(from, frames, bytes, lost);
}

static void blast(const char *address, int size, long count, int milliseconds) {
  static char payload[65536];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
  struct iovec part = {payload, size - 28};
  struct mmsghdr m[BATCH] = {0};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), memory = 8 << 20;
  if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof to)) die(address);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &memory, sizeof memory);
  for (int i = 0; i < BATCH; i++) m[i].msg_hdr.msg_iov = &part, m[i].msg_hdr.msg_iovlen = 1;
  long sent = 0, refused = 0;
  limit(milliseconds);
  struct cost from = clocks();
  while (!stopped && (!count || sent < count)) {
    int n = count && count - sent < BATCH ? count - sent : BATCH;
    int k = sendmmsg(fd, m, n, 0);
    if (k > 0) sent += k;
    else refused++;
  }
  answer(from, sent, sent * size, refused);
  close(fd);
}

int main(int c, char **v) {
  struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART}; /* reads restart, poll never does */
  sigaction(SIGUSR2, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *mode = c > 1 ? v[1] : "";
  int tap = c > 2 && !strcmp(v[2], "tap"), fd[2] = {-1, -1};
  if (!strcmp(mode, "forward") && c == 7) {
    int whole = !strcmp(v[3], "whole");
    fd[0] = open_device(v[4], tap, whole, 1);
    fd[1] = open_inside(atoi(v[6]), v[5], tap, whole);
  } else if (!strcmp(mode, "veth") && c == 5) {
    int whole = !strcmp(v[2], "whole");
    fd[0] = open_device(v[3], 1, whole, 1);
    fd[1] = open_packet(v[4], whole);
  } else if (c >= 4) {
    fd[0] = open_device(v[3], tap, 0, 1);
  } else if (strcmp(mode, "blast")) {
    fprintf(stderr, "usage: see the head of the source\n");
    return 2;
  }
  puts("{\"ready\":true}");
  char line[256], address[64];
  long number, milliseconds;
  int size;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "drain %ld", &number) == 1) drain(fd[0]);
    else if (sscanf(line, "flood %ld", &milliseconds) == 1) flood(fd[0], milliseconds);
    else if (sscanf(line, "send %ld", &number) == 1) send_frames(fd[0], atoi(v[4]), number, 0);
    else if (sscanf(line, "drain-direct %ld", &number) == 1) drain_direct(fd[0]);
    else if (sscanf(line, "send-direct %ld", &number) == 1) send_frames(fd[0], atoi(v[4]), number, 1);
    else if (!strncmp(line, "forward", 7)) forward(fd);
    else if (!strncmp(line, "echo", 4)) echo(fd[0], tap);
    else if (sscanf(line, "blast %63s %d %ld %ld", address, &size, &number, &milliseconds) == 4) blast(address, size, number, milliseconds);
    else return 2;
  }
  return 0;
}
