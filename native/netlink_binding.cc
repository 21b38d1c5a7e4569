#include "bindings.h"

namespace netloom {

void define_netlink(Napi::Env, Napi::Object) {}

}  // namespace netloom
