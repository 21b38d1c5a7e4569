#include "netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace netloom {
namespace {

// Sends `out` with its descriptors; false when the other end is gone.
bool send_opened(int socket, const Opened& out) {
  iovec part = {const_cast<Opened*>(&out), sizeof out};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof out.descriptors)] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (out.count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * out.count);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * out.count);
    memcpy(CMSG_DATA(header), out.descriptors, sizeof(int) * out.count);
  }
  ssize_t n;
  do n = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(sizeof out);
}

Opened receive_opened(int socket) {
  Opened out;
  iovec part = {&out, sizeof out};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof out.descriptors)] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t n;
  do n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  while (n < 0 && errno == EINTR);
  if (n != static_cast<ssize_t>(sizeof out)) {
    Opened failed;
    failed.failure = n < 0 ? Failure::last("recvmsg") : Failure{ECHILD, "fork", nullptr};
    return failed;
  }
  // The numbers in the message are the child's; ours are in the control data.
  int sent = out.count;
  out.count = 0;
  for (int& fd : out.descriptors) fd = -1;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    out.count = static_cast<int>((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(out.descriptors, CMSG_DATA(header), sizeof(int) * out.count);
  }
  if (out.count < sent) {
    // MSG_CTRUNC: more than we may have open.
    for (int fd : out.descriptors)
      if (fd >= 0) close(fd);
    out = {};
    out.failure = {EMFILE, "recvmsg", "SCM_RIGHTS"};
  }
  return out;
}

}  // namespace

Opened open_in_child(ChildEntry enter, const void* entry, OpenJob job, const void* argument) {
  Opened out;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    out.failure = Failure::last("socketpair");
    return out;
  }
  Fd ours(pair[0]), theirs(pair[1]);
  // No signal handler of the parent may run in the child.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t child = fork();
  if (child == 0) {
    Opened result;
    result.failure = enter(entry);
    if (!result.failure) job(argument, result);
    send_opened(theirs.get(), result);
    _exit(0);
  }
  int error = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) {
    out.failure = {error, "fork", nullptr};
    return out;
  }
  theirs.reset();
  out = receive_opened(ours.get());
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return out;
}

namespace {

struct Owned {
  int user;
  int network;
};

Failure enter_owned(const void* argument) {
  const Owned* target = static_cast<const Owned*>(argument);
  // EINVAL: the user namespace that we are in already, without the right to enter the other.
  if (setns(target->user, CLONE_NEWUSER) != 0 && errno != EINVAL) return Failure::last("setns", "CLONE_NEWUSER");
  if (setns(target->network, CLONE_NEWNET) != 0) return Failure::last("setns", "CLONE_NEWNET");
  return {};
}

// Whether the thread is there; without fstat, which would ask for a newer C library.
bool is_here(int network) {
  struct statx there = {}, here = {};
  return statx(network, "", AT_EMPTY_PATH, STATX_INO, &there) == 0 &&
         statx(AT_FDCWD, "/proc/thread-self/ns/net", 0, STATX_INO, &here) == 0 && there.stx_ino == here.stx_ino &&
         there.stx_dev_major == here.stx_dev_major && there.stx_dev_minor == here.stx_dev_minor;
}

}  // namespace

void open_path(const void* argument, Opened& out) {
  const auto* options = static_cast<const FileOptions*>(argument);
  Fd fd(open(options->path, (options->write ? O_WRONLY : O_RDONLY) | O_CLOEXEC));
  if (fd)
    out.add(static_cast<Fd&&>(fd));
  else
    out.failure = Failure::last("open");
}

Opened open_in_namespace(int network, OpenJob job, const void* argument) {
  Opened out;
  if (network < 0 || setns(network, CLONE_NEWNET) == 0) {
    job(argument, out);
    return out;
  }
  out.failure = Failure::last("setns", "CLONE_NEWNET");
  if (out.failure.error != EPERM && out.failure.error != EINVAL) return out;
  if (is_here(network)) {
    out.failure = {};
    job(argument, out);
    return out;
  }
  Fd user(ioctl(network, NS_GET_USERNS));
  if (!user) return out;
  Owned target = {user.get(), network};
  return open_in_child(enter_owned, &target, job, argument);
}

}  // namespace netloom
