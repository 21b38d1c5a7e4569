#include "arguments.h"

namespace netloom {

Bytes bytes_of(napi_env env, napi_value value) {
  Bytes bytes;
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, nullptr) != napi_ok) return bytes;
  bool is_array_buffer = false;
  if (napi_is_arraybuffer(env, buffer, &is_array_buffer) != napi_ok || !is_array_buffer) return bytes;
  bool detached = true;
  if (napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached) return bytes;
  switch (type) {
    case napi_uint8_array:
    case napi_int8_array:
    case napi_uint8_clamped_array:
      break;
    case napi_uint16_array:
    case napi_int16_array:
      length *= 2;
      break;
    case napi_uint32_array:
    case napi_int32_array:
    case napi_float32_array:
      length *= 4;
      break;
    default:
      length *= 8;
  }
  bytes.data = static_cast<uint8_t*>(data);
  bytes.length = length;
  bytes.ok = true;
  return bytes;
}

bool bool_of(napi_env env, napi_value value) {
  bool is = false;
  return napi_get_value_bool(env, value, &is) == napi_ok && is;
}

int32_t int_of(napi_env env, napi_value value, int32_t fallback) {
  int32_t number = fallback;
  return napi_get_value_int32(env, value, &number) == napi_ok ? number : fallback;
}

uint32_t uint_of(napi_env env, napi_value value, uint32_t fallback) {
  uint32_t number = fallback;
  return napi_get_value_uint32(env, value, &number) == napi_ok ? number : fallback;
}

void throw_bad_call(Napi::Env env, const char* what) { napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", what); }

}  // namespace netloom
