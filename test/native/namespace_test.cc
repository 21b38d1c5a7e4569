#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../native/sys/netns.h"
#include "../../native/sys/tuntap.h"
#include "check.h"

using namespace netloom;

namespace {

Failure enter_new_network(const void*) {
  return unshare(CLONE_NEWNET) == 0 ? Failure{} : Failure::last("unshare", "CLONE_NEWNET");
}

Failure refuse(const void*) { return {EPERM, "setns", "CLONE_NEWUSER"}; }

void open_own_namespace(const void* text, Opened& out) {
  Fd fd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) {
    out.failure = Failure::last("open", "/proc/self/ns/net");
    return;
  }
  out.add(std::move(fd));
  strcpy(reinterpret_cast<char*>(out.payload), static_cast<const char*>(text));
}

bool may_unshare() { return !open_in_child(enter_new_network, nullptr, [](const void*, Opened&) {}, nullptr).failure; }

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

}  // namespace

TEST(child_passes_back, "a forked child passes descriptors, bytes and refusals back, and leaks none") {
  if (!may_unshare()) SKIP("needs the right to make a network namespace");
  int before = open_descriptors();
  for (int i = 0; i < 3; i++) {
    Opened opened = open_in_child(enter_new_network, nullptr, open_own_namespace, "hello");
    CHECK(!opened.failure && opened.count == 1);
    CHECK(strcmp(reinterpret_cast<char*>(opened.payload), "hello") == 0);
    struct stat theirs, ours;
    CHECK(fstat(opened.descriptors[0], &theirs) == 0 && stat("/proc/self/ns/net", &ours) == 0);
    CHECK(theirs.st_ino != ours.st_ino);
    CHECK(fcntl(opened.descriptors[0], F_GETFD) == FD_CLOEXEC);
    close(opened.descriptors[0]);
  }
  Opened refused = open_in_child(refuse, nullptr, open_own_namespace, "");
  CHECK(refused.failure.error == EPERM && strcmp(refused.failure.request, "CLONE_NEWUSER") == 0 && refused.count == 0);
  CHECK(open_descriptors() == before);
}

TEST(steers_by_ebpf, "takes loaded eBPF programs to steer and to filter, and lets go of them") {
  if (!may_unshare()) SKIP("needs the right to make a network namespace");
  if (access("/dev/net/tun", R_OK | W_OK) != 0) SKIP("needs /dev/net/tun");
  // return 0: linux/bpf.h, BPF_MOV | BPF_K | BPF_ALU64 on r0, then BPF_EXIT.
  bpf_insn program[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  bpf_attr load = {};
  load.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  load.insns = reinterpret_cast<uint64_t>(program);
  load.insn_cnt = 2;
  load.license = reinterpret_cast<uint64_t>("GPL");
  Fd loaded(static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load)));
  if (!loaded) SKIP("this kernel loads no eBPF programs");
  TuntapOptions options = {};
  strcpy(options.name, "steered0");
  options.flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
  Opened opened = open_in_child(enter_new_network, nullptr, open_tuntap, &options);
  CHECK(!opened.failure);
  int fd = opened.descriptors[0];
  for (auto request : {TuntapRequest::kSetSteeringProgram, TuntapRequest::kSetFilterProgram}) {
    CHECK(control_tuntap(fd, request, loaded.get()).ok());
    CHECK(control_tuntap(fd, request, -1).ok());
    CHECK(control_tuntap(fd, request, 0).failure().error == EINVAL);
  }
  close(fd);
}

TEST(opens_tuntap, "opens a device with its settings, and refuses one that is not there") {
  if (!may_unshare()) SKIP("needs the right to make a network namespace");
  if (access("/dev/net/tun", R_OK | W_OK) != 0) SKIP("needs /dev/net/tun");
  Opened space = open_in_child(enter_new_network, nullptr, open_own_namespace, "");
  CHECK(!space.failure);
  struct Enter {
    static Failure run(const void* fd) {
      return setns(*static_cast<const int*>(fd), CLONE_NEWNET) == 0 ? Failure{} : Failure::last("setns");
    }
  };
  TuntapOptions options = {};
  strcpy(options.name, "absent0");
  options.flags = IFF_TAP | IFF_NO_PI;
  options.must_exist = true;
  CHECK(open_in_child(Enter::run, space.descriptors, open_tuntap, &options).failure.error == ENODEV);
  options.must_exist = false;
  options.flags |= IFF_VNET_HDR;
  options.set_vnet_header_size = options.set_offload = true;
  options.vnet_header_size = 12;
  options.offload = TUN_F_CSUM;
  Opened opened = open_in_child(Enter::run, space.descriptors, open_tuntap, &options);
  CHECK(!opened.failure && opened.count == 1);
  auto identity = identify_tuntap(opened.descriptors[0]);
  CHECK(identity.ok() && strcmp(identity.value().name, "absent0") == 0);
  CHECK((identity.value().flags & (IFF_TAP | IFF_VNET_HDR)) == (IFF_TAP | IFF_VNET_HDR));
  auto size = control_tuntap(opened.descriptors[0], TuntapRequest::kGetVnetHeaderSize, 0);
  CHECK(size.ok() && size.value() == 12);
  auto features = control_tuntap(opened.descriptors[0], TuntapRequest::kGetFeatures, 0);
  CHECK(features.ok() && (features.value() & IFF_MULTI_QUEUE));
  CHECK(control_tuntap(opened.descriptors[0], TuntapRequest::kSetVnetHeaderSize, 3).failure().error == EINVAL);
  auto back = control_tuntap(opened.descriptors[0], TuntapRequest::kGetNamespace, 0);
  CHECK(back.ok() && back.value() >= 0);
  if (back.ok()) close(back.value());
  options.vnet_header_size = 5;  // refused after TUNSETIFF: nothing may stay
  strcpy(options.name, "second0");
  CHECK(open_in_child(Enter::run, space.descriptors, open_tuntap, &options).failure.error == EINVAL);
  options.vnet_header_size = 10;
  options.flags |= IFF_TUN_EXCL;
  Opened again = open_in_child(Enter::run, space.descriptors, open_tuntap, &options);
  CHECK(!again.failure);
  close(again.descriptors[0]);
  CHECK(!identify_tuntap(0).ok());
  close(opened.descriptors[0]);
  close(space.descriptors[0]);
}
