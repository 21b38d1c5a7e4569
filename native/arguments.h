#pragma once
#include <napi.h>
#include <stdint.h>

namespace netloom {

// Bytes that stay valid until JavaScript runs again. Null `data` with `ok` false: not bytes we may touch.
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
  bool ok = false;
};

// Accepts a typed array or DataView over an ordinary ArrayBuffer: not shared, not detached. (Resizable
// buffers are refused in TypeScript, where they can be told apart.)
Bytes bytes_of(napi_env env, napi_value value);

// Arguments that TypeScript has checked already; anything else reads as `fallback`. (Not by coercion: that can run
// JavaScript, and fails in a worker that is being terminated.)
bool bool_of(napi_env env, napi_value value);
int32_t int_of(napi_env env, napi_value value, int32_t fallback = 0);
uint32_t uint_of(napi_env env, napi_value value, uint32_t fallback = 0);

inline bool bool_of(const Napi::CallbackInfo& info, size_t index) { return bool_of(info.Env(), info[index]); }
inline int32_t int_of(const Napi::CallbackInfo& info, size_t index, int32_t fallback = 0) {
  return int_of(info.Env(), info[index], fallback);
}
inline uint32_t uint_of(const Napi::CallbackInfo& info, size_t index, uint32_t fallback = 0) {
  return uint_of(info.Env(), info[index], fallback);
}

// Throws the TypeError for a native call that TypeScript did not prepare.
void throw_bad_call(Napi::Env env, const char* what);

}  // namespace netloom
