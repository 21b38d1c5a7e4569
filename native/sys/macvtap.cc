#include "macvtap.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace netloom {
namespace {

constexpr char kNode[] = "/sys/tap";

// "MAJOR:MINOR\n"
Failure read_device(const char* path, dev_t* device) {
  Fd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return Failure::last("open", "sysfs");
  char text[32];
  ssize_t length = read(fd.get(), text, sizeof text);
  if (length < 0) return Failure::last("read", "sysfs");
  unsigned numbers[2] = {0, 0};
  int at = 0;
  for (ssize_t i = 0; i < length; i++) {
    if (text[i] == ':' && at == 0)
      at = 1;
    else if (text[i] >= '0' && text[i] <= '9')
      numbers[at] = numbers[at] * 10 + static_cast<unsigned>(text[i] - '0');
    else if (text[i] != '\n')
      return {EINVAL, "read", "sysfs"};
  }
  if (at == 0) return {EINVAL, "read", "sysfs"};
  *device = makedev(numbers[0], numbers[1]);
  return {};
}

}  // namespace

void open_macvtap(const void* path, Opened& out) {
  dev_t device = 0;
  if (unshare(CLONE_NEWNS) != 0)
    out.failure = Failure::last("unshare", "CLONE_NEWNS");
  else if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    out.failure = Failure::last("mount", "MS_PRIVATE");
  else if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, nullptr) != 0)
    out.failure = Failure::last("mount", "sysfs");
  else
    out.failure = read_device(static_cast<const char*>(path), &device);
  if (out.failure) return;
  if (mount("tmpfs", "/sys", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=4k,mode=700") != 0) {
    out.failure = Failure::last("mount", "tmpfs");
    return;
  }
  // mknod() itself would ask for a later C library.
  if (syscall(SYS_mknodat, AT_FDCWD, kNode, S_IFCHR | 0600, device) != 0) {
    out.failure = Failure::last("mknod", "macvtap");
    return;
  }
  Fd fd(open(kNode, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd)
    out.add(static_cast<Fd&&>(fd));
  else
    out.failure = Failure::last("open", "macvtap");
}

}  // namespace netloom
