#include "throw_errno.h"

namespace netloom {

void throw_failure(Napi::Env env, const Failure& failure) {
  auto text = [&](const char* s) -> napi_value { return s ? Napi::String::New(env, s) : env.Undefined(); };
  napi_value arguments[] = {Napi::Number::New(env, -failure.error), text(failure.syscall), text(failure.request)};
  napi_value error;
  // Refused in a worker that is being terminated, which throws by itself.
  if (napi_call_function(env, env.Undefined(), Environment::of(env).make_system_error.Value(), 3, arguments, &error) == napi_ok)
    napi_throw(env, error);
}

}  // namespace netloom
