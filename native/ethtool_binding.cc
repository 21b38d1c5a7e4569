#include <linux/if.h>
#include <string.h>

#include "arguments.h"
#include "bindings.h"
#include "sys/ethtool.h"
#include "throw_errno.h"

namespace netloom {
namespace {

// The second argument: a device's name, as bytes.
bool name_of(const Napi::CallbackInfo& info, char (&name)[IFNAMSIZ]) {
  Bytes bytes = bytes_of(info.Env(), info[1]);
  if (!bytes.ok || bytes.length == 0 || bytes.length >= IFNAMSIZ) return false;
  memset(name, 0, sizeof name);
  memcpy(name, bytes.data, bytes.length);
  return true;
}

// ethtoolDriver(socket, name): the bytes of struct ethtool_drvinfo
Napi::Value driver(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  char name[IFNAMSIZ];
  if (!name_of(info, name)) return throw_bad_call(env, "ethtoolDriver"), env.Undefined();
  uint8_t bytes[kEthtoolDriverBytes];
  Failure failure = read_ethtool_driver(int_of(info, 0, -1), name, bytes);
  if (failure) return throw_failure(env, failure), env.Undefined();
  Napi::Uint8Array out = Napi::Uint8Array::New(env, sizeof bytes);
  if (!env.IsExceptionPending()) memcpy(out.Data(), bytes, sizeof bytes);
  return out;
}

// ethtoolStatistics(socket, name): all names, 32 bytes each, then all values, 8 bytes each
Napi::Value statistics(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  char name[IFNAMSIZ];
  if (!name_of(info, name)) return throw_bad_call(env, "ethtoolStatistics"), env.Undefined();
  EthtoolStatistics read;
  Failure failure = read.read(int_of(info, 0, -1), name);
  if (failure) return throw_failure(env, failure), env.Undefined();
  size_t count = read.count();
  Napi::Uint8Array out = Napi::Uint8Array::New(env, count * 40);
  if (env.IsExceptionPending()) return env.Undefined();
  if (count > 0) {
    memcpy(out.Data(), read.names(), count * 32);
    memcpy(out.Data() + count * 32, read.values(), count * 8);
  }
  return out;
}

}  // namespace

void define_ethtool(Napi::Env env, Napi::Object exports) {
  exports.Set("ethtoolDriver", Napi::Function::New(env, driver, "ethtoolDriver"));
  exports.Set("ethtoolStatistics", Napi::Function::New(env, statistics, "ethtoolStatistics"));
}

}  // namespace netloom
