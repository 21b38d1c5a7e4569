#pragma once
#include "environment.h"
#include "sys/result.h"

namespace netloom {

// Throws the SystemError of JavaScript's catalogue for a refused system call.
void throw_failure(Napi::Env env, const Failure& failure);

}  // namespace netloom
