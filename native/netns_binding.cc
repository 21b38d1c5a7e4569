#include "bindings.h"

namespace netloom {

void define_netns(Napi::Env, Napi::Object) {}

}  // namespace netloom
