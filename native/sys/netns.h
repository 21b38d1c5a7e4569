#pragma once
#include <stddef.h>
#include <stdint.h>

#include "fd.h"
#include "result.h"

namespace netloom {

// What a job brings back from another namespace: up to four descriptors and some plain bytes.
struct Opened {
  Failure failure;
  int descriptors[4] = {-1, -1, -1, -1};
  int count = 0;
  alignas(8) unsigned char payload[256] = {};

  void add(Fd fd) { descriptors[count++] = fd.release(); }
};

// Runs inside the namespace. It may run in a forked child of a threaded process, so it uses system calls
// only: no memory allocation, no locks, no stdio.
using OpenJob = void (*)(const void* argument, Opened& out);

// Runs `job` on the calling thread, which must be one that ends right after: it is left in `network`.
// `network` < 0 runs it where the thread is. Where a thread may not enter because its rights come from a
// user namespace (EPERM, EINVAL), a forked child enters both and passes the descriptors back.
Opened open_in_namespace(int network, OpenJob job, const void* argument);

struct FileOptions {
  const char* path;
  bool write;
};

// Opens a file to read or to write it; FileOptions.
void open_path(const void* argument, Opened& out);

// How a forked child gets to where its job runs; system calls only, as in OpenJob.
using ChildEntry = Failure (*)(const void* argument);

// Forks, without exec: the child calls `enter`, then `job`, passes the result back (SCM_RIGHTS) and ends.
Opened open_in_child(ChildEntry enter, const void* entry, OpenJob job, const void* argument);

}  // namespace netloom
