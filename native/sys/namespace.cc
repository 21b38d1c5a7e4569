#include "namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace netloom {
namespace {

Fd open_own(const char* path) { return Fd(open(path, O_RDONLY | O_CLOEXEC)); }

Failure write_file(const char* path, const char* text, size_t length) {
  Fd file(open(path, O_WRONLY | O_CLOEXEC));
  if (!file) return Failure::last("open", path);
  if (write(file.get(), text, length) != static_cast<ssize_t>(length)) return Failure::last("write", path);
  return {};
}

// "0 <id> 1": root inside is `id` outside.
struct IdMap {
  char text[32];
  size_t length = 0;

  explicit IdMap(uint32_t id) {
    char digits[12];
    size_t count = 0;
    do digits[count++] = static_cast<char>('0' + id % 10);
    while ((id /= 10) != 0);
    text[length++] = '0';
    text[length++] = ' ';
    while (count > 0) text[length++] = digits[--count];
    text[length++] = ' ';
    text[length++] = '1';
  }
};

struct Caller {
  IdMap user;
  IdMap group;
};

// user_namespaces(7): without rights outside, setgroups must be given up before the group is mapped.
Failure unshare_with_user(const void* argument) {
  const Caller* caller = static_cast<const Caller*>(argument);
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return Failure::last("unshare", "CLONE_NEWUSER");
  Failure failure = write_file("/proc/self/setgroups", "deny", 4);
  if (failure && failure.error != ENOENT) return failure;
  failure = write_file("/proc/self/uid_map", caller->user.text, caller->user.length);
  if (failure) return failure;
  return write_file("/proc/self/gid_map", caller->group.text, caller->group.length);
}

void open_network(const void*, Opened& out) {
  Fd network = open_own("/proc/self/ns/net");
  if (!network) {
    out.failure = Failure::last("open", "/proc/self/ns/net");
    return;
  }
  out.add(static_cast<Fd&&>(network));
}

Failure make_directory(const char* directory) {
  if (mkdir(directory, 0755) != 0 && errno != EEXIST) return Failure::last("mkdir");
  return {};
}

// mount_namespaces(7): a mount propagates only from a shared mount, and only a mount point can be one.
Failure share_directory(const char* directory) {
  if (mount("", directory, "none", MS_SHARED | MS_REC, nullptr) == 0) return {};
  if (errno != EINVAL) return Failure::last("mount", "MS_SHARED");
  if (mount(directory, directory, "none", MS_BIND | MS_REC, nullptr) != 0) return Failure::last("mount", "MS_BIND");
  if (mount("", directory, "none", MS_SHARED | MS_REC, nullptr) != 0) return Failure::last("mount", "MS_SHARED");
  return {};
}

}  // namespace

void create_namespace(const void*, Opened& out) {
  if (unshare(CLONE_NEWNET) != 0) {
    out.failure = Failure::last("unshare", "CLONE_NEWNET");
    return;
  }
  Fd network = open_own("/proc/thread-self/ns/net");
  if (!network) {
    out.failure = Failure::last("open", "/proc/thread-self/ns/net");
    return;
  }
  out.add(static_cast<Fd&&>(network));
}

Opened create_namespace_with_user() {
  Caller caller = {IdMap(geteuid()), IdMap(getegid())};
  return open_in_child(unshare_with_user, &caller, open_network, nullptr);
}

Opened create_namespace_beside(int network) {
  Opened out;
  Fd owner(ioctl(network, NS_GET_USERNS));
  if (!owner) {
    out.failure = Failure::last("ioctl", "NS_GET_USERNS");
    return out;
  }
  struct Enter {
    static Failure run(const void* argument) {
      int owner = *static_cast<const int*>(argument);
      // Not stat(): built with glibc 2.33 or later, that needs 2.33 to run.
      struct statx theirs, ours;
      if (statx(owner, "", AT_EMPTY_PATH, STATX_INO, &theirs) != 0 ||
          statx(AT_FDCWD, "/proc/self/ns/user", 0, STATX_INO, &ours) != 0)
        return Failure::last("statx");
      // One cannot enter the user namespace that one is in.
      if (theirs.stx_ino != ours.stx_ino && setns(owner, CLONE_NEWUSER) != 0)
        return Failure::last("setns", "CLONE_NEWUSER");
      return {};
    }
  };
  int fd = owner.get();
  return open_in_child(Enter::run, &fd, create_namespace, nullptr);
}

Failure name_namespace(int network, const char* directory, const char* path) {
  Failure failure = make_directory(directory);
  if (failure) return failure;
  {
    // Two at once would mount the directory over itself twice; iproute2 takes the same lock.
    Fd lock(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) return Failure::last("open");
    int locked;
    do locked = flock(lock.get(), LOCK_EX);
    while (locked != 0 && errno == EINTR);
    if (locked != 0) return Failure::last("flock");
    failure = share_directory(directory);
    if (failure) return failure;
  }
  {
    Fd file(open(path, O_RDONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0));
    if (!file) return Failure::last("open", "O_EXCL");
  }
  char source[40] = "/proc/thread-self/fd/";
  char digits[12];
  size_t count = 0, length = strlen(source);
  unsigned value = static_cast<unsigned>(network);
  do digits[count++] = static_cast<char>('0' + value % 10);
  while ((value /= 10) != 0);
  while (count > 0) source[length++] = digits[--count];
  source[length] = 0;
  if (mount(source, path, "none", MS_BIND, nullptr) == 0) return {};
  failure = Failure::last("mount", "MS_BIND");
  unlink(path);
  return failure;
}

Failure unname_namespace(const char* path) {
  // Not mounted (EINVAL): the file that a crash between the two steps of creation left.
  if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL) return Failure::last("umount2");
  if (unlink(path) != 0) return Failure::last("unlink");
  return {};
}

Result<int> namespace_type(int fd) {
  int type = ioctl(fd, NS_GET_NSTYPE);
  if (type < 0) return Failure::last("ioctl", "NS_GET_NSTYPE");
  return type;
}

Result<int> namespace_owner(int fd) {
  int owner = ioctl(fd, NS_GET_USERNS);
  if (owner < 0) return Failure::last("ioctl", "NS_GET_USERNS");
  return owner;
}

Result<int> enter_namespace(int network) {
  Fd home = open_own("/proc/thread-self/ns/net");
  if (!home) return Failure::last("open", "/proc/thread-self/ns/net");
  // Going where we are takes the right that coming back will take.
  if (setns(home.get(), CLONE_NEWNET) != 0) return Failure::last("setns", "CLONE_NEWNET");
  if (setns(network, CLONE_NEWNET) != 0) return Failure::last("setns", "CLONE_NEWNET");
  return home.release();
}

Failure leave_namespace(int home) {
  if (setns(home, CLONE_NEWNET) != 0) return Failure::last("setns", "CLONE_NEWNET");
  close(home);
  return {};
}

}  // namespace netloom
