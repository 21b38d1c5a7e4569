#pragma once
#include "netns.h"

namespace netloom {

// A new network namespace that lives as long as its descriptor (descriptors[0]). The calling thread must be one
// that ends right after: it is left in the namespace.
void create_namespace(const void*, Opened& out);

// The same for an ordinary user: a user namespace that maps the caller to root, and a network namespace that it
// owns. Any thread may call it: a forked child creates both.
Opened create_namespace_with_user();

// A new network namespace, owned by the user namespace that owns `network` (a descriptor).
Opened create_namespace_beside(int network);

// Gives a namespace a name as `ip netns` does: a bind mount on `directory`/`name`. The directory is made if need
// be, and made a shared mount, so that namespaces appear in other mount namespaces too. Nothing is left on failure.
Failure name_namespace(int network, const char* directory, const char* path);

// Takes the name back; the namespace lives on while something else holds it.
Failure unname_namespace(const char* path);

// CLONE_NEWNET, CLONE_NEWUSER, …; fails for a descriptor that is no namespace.
Result<int> namespace_type(int fd);

// The user namespace that owns this one.
Result<int> namespace_owner(int fd);

// Moves the calling thread, and gives the way back. Refused (EPERM) also when there would be no way back.
Result<int> enter_namespace(int network);
Failure leave_namespace(int home);

}  // namespace netloom
