#include "throw_errno.h"

namespace netloom {

void throw_failure(Napi::Env env, const Failure& failure) {
  auto text = [&](const char* s) -> napi_value { return s ? Napi::String::New(env, s) : env.Undefined(); };
  Napi::Value error = Environment::of(env).make_system_error.Call(
      {Napi::Number::New(env, -failure.error), text(failure.syscall), text(failure.request)});
  if (!env.IsExceptionPending()) napi_throw(env, error);
}

}  // namespace netloom
