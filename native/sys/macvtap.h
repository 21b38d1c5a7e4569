#pragma once
#include "netns.h"

namespace netloom {

// OpenJob: the device of a macvtap or ipvtap; the argument is where sysfs tells its number, such as
// "/sys/class/net/mv0/tap5/dev". Names in /dev collide between namespaces, so the number is read in the sysfs of the
// link's own, and a node of that number opened: both in a view of the file system that nobody else sees, which goes with
// the thread.
void open_macvtap(const void* path, Opened& out);

}  // namespace netloom
