#include <string.h>

#include <string>

#include "arguments.h"
#include "bindings.h"
#include "sys/macvtap.h"
#include "sys/tuntap.h"
#include "throw_errno.h"

namespace netloom {
namespace {

// Descriptors go out as numbers; the environment closes those that JavaScript did not get to close or to hand on.
int own(Napi::Env env, int fd) {
  Environment::of(env).own(fd);
  return fd;
}

Napi::Object describe(Napi::Env env, int fd, const TuntapIdentity& identity) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("fd", fd);
  object.Set("name", Napi::String::New(env, identity.name, strnlen(identity.name, sizeof identity.name)));
  object.Set("flags", static_cast<uint32_t>(identity.flags));
  object.Set("index", identity.index);
  return object;
}

// Settings are owner, group, sendBuffer, vnetHeaderSize, offload, each undefined when not to be set.
void read_settings(Napi::Object settings, TuntapOptions& options) {
  auto read = [&](const char* key, bool& set, auto& value) {
    Napi::Value given = settings.Get(key);
    if ((set = given.IsNumber())) value = given.As<Napi::Number>().Int64Value();
  };
  read("owner", options.set_owner, options.owner);
  read("group", options.set_group, options.group);
  read("sendBuffer", options.set_send_buffer, options.send_buffer);
  read("vnetHeaderSize", options.set_vnet_header_size, options.vnet_header_size);
  read("offload", options.set_offload, options.offload);
}

// openTuntap(namespaceDescriptor or -1, name, flags, mustExist, settings)
Napi::Value open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[1].IsString() || !info[4].IsObject()) return throw_bad_call(env, "openTuntap"), env.Undefined();
  std::string name = info[1].As<Napi::String>();
  TuntapOptions options = {};
  if (name.size() >= sizeof options.name) return throw_bad_call(env, "name"), env.Undefined();
  memcpy(options.name, name.data(), name.size());
  options.flags = static_cast<uint16_t>(uint_of(info, 2));
  options.must_exist = bool_of(info, 3);
  read_settings(info[4].As<Napi::Object>(), options);
  Opened opened = open_on_thread(int_of(info, 0, -1), open_tuntap, &options);
  if (opened.failure) return throw_failure(env, opened.failure), env.Undefined();
  TuntapIdentity identity;
  memcpy(&identity, opened.payload, sizeof identity);
  return describe(env, own(env, opened.descriptors[0]), identity);
}

// configureTuntap(namespaceDescriptor or -1, fd, settings)
void configure(const Napi::CallbackInfo& info) {
  if (!info[2].IsObject()) return throw_bad_call(info.Env(), "configureTuntap");
  TuntapOptions options = {};
  options.fd = int_of(info, 1, -1);
  read_settings(info[2].As<Napi::Object>(), options);
  Opened done = open_on_thread(int_of(info, 0, -1), configure_tuntap, &options);
  if (done.failure) throw_failure(info.Env(), done.failure);
}

// openMacvtap(namespaceDescriptor or -1, path): a descriptor of the device whose number sysfs tells there
Napi::Value open_tap_of_macvtap(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[1].IsString()) return throw_bad_call(env, "openMacvtap"), env.Undefined();
  std::string path = info[1].As<Napi::String>();
  Opened opened = open_on_thread(int_of(info, 0, -1), open_macvtap, path.c_str());
  if (opened.failure) return throw_failure(env, opened.failure), env.Undefined();
  return Napi::Number::New(env, own(env, opened.descriptors[0]));
}

Napi::Value identify(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int fd = int_of(info, 0, -1);
  auto identity = identify_tuntap(fd);
  if (!identity.ok()) return throw_failure(env, identity.failure()), env.Undefined();
  return describe(env, fd, identity.value());
}

// controlTuntap(fd, request, value)
Napi::Value control(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uint32_t request = uint_of(info, 1, UINT32_MAX);
  if (request >= static_cast<uint32_t>(TuntapRequest::kCount)) return throw_bad_call(env, "controlTuntap"), env.Undefined();
  int64_t value = info[2].IsNumber() ? info[2].As<Napi::Number>().Int64Value() : 0;
  auto result = control_tuntap(int_of(info, 0, -1), static_cast<TuntapRequest>(request), static_cast<int>(value));
  if (!result.ok()) return throw_failure(env, result.failure()), env.Undefined();
  if (static_cast<TuntapRequest>(request) == TuntapRequest::kGetNamespace) own(env, result.value());
  return Napi::Number::New(env, result.value());
}

// attachTuntapFilter(fd, program)
void attach_filter(const Napi::CallbackInfo& info) {
  Bytes program = bytes_of(info.Env(), info[1]);
  if (!program.ok || program.length == 0 || program.length % 8 != 0 || program.length / 8 > UINT16_MAX)
    return throw_bad_call(info.Env(), "attachTuntapFilter");
  Failure failure = attach_tuntap_filter(int_of(info, 0, -1), program.data, static_cast<uint16_t>(program.length / 8));
  if (failure) throw_failure(info.Env(), failure);
}

// setTuntapTxFilter(fd, allMulticast, addresses)
Napi::Value set_tx_filter(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Bytes addresses = bytes_of(env, info[2]);
  if (!addresses.ok || addresses.length % 6 != 0 || addresses.length / 6 > 64)
    return throw_bad_call(env, "setTuntapTxFilter"), env.Undefined();
  auto exact = set_tuntap_tx_filter(int_of(info, 0, -1), bool_of(info, 1), addresses.data,
                                    static_cast<uint16_t>(addresses.length / 6));
  if (!exact.ok()) return throw_failure(env, exact.failure()), env.Undefined();
  return Napi::Number::New(env, exact.value());
}

}  // namespace

void define_tuntap(Napi::Env env, Napi::Object exports) {
  exports.Set("openMacvtap", Napi::Function::New(env, open_tap_of_macvtap, "openMacvtap"));
  exports.Set("openTuntap", Napi::Function::New(env, open, "openTuntap"));
  exports.Set("configureTuntap", Napi::Function::New(env, configure, "configureTuntap"));
  exports.Set("identifyTuntap", Napi::Function::New(env, identify, "identifyTuntap"));
  exports.Set("controlTuntap", Napi::Function::New(env, control, "controlTuntap"));
  exports.Set("attachTuntapFilter", Napi::Function::New(env, attach_filter, "attachTuntapFilter"));
  exports.Set("setTuntapTxFilter", Napi::Function::New(env, set_tx_filter, "setTuntapTxFilter"));
}

}  // namespace netloom
