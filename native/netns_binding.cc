#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include <string>

#include "arguments.h"
#include "bindings.h"
#include "sys/inet_socket.h"
#include "sys/namespace.h"
#include "throw_errno.h"

namespace netloom {
namespace {

// Descriptors go out as numbers; the environment closes those that JavaScript did not get to close.
Napi::Value show(Napi::Env env, Opened opened) {
  if (opened.failure) return throw_failure(env, opened.failure), env.Undefined();
  Environment::of(env).own(opened.descriptors[0]);
  return Napi::Number::New(env, opened.descriptors[0]);
}

Napi::Value show(Napi::Env env, Result<int> result) {
  if (!result.ok()) return throw_failure(env, result.failure()), env.Undefined();
  Environment::of(env).own(result.value());
  return Napi::Number::New(env, result.value());
}

// createNamespace(withUser, beside): a descriptor. `beside` is -1 or a namespace whose owner shall own the new one.
Napi::Value create(const Napi::CallbackInfo& info) {
  bool with_user = bool_of(info, 0);
  int beside = int_of(info, 1, -1);
  if (beside >= 0) return show(info.Env(), create_namespace_beside(beside));
  return show(info.Env(), with_user ? create_namespace_with_user() : run_on_thread(create_namespace, nullptr));
}

// nameNamespace(fd, directory, path)
void name(const Napi::CallbackInfo& info) {
  if (!info[1].IsString() || !info[2].IsString()) return throw_bad_call(info.Env(), "nameNamespace");
  std::string directory = info[1].As<Napi::String>(), path = info[2].As<Napi::String>();
  Failure failure = name_namespace(int_of(info, 0, -1), directory.c_str(), path.c_str());
  if (failure) throw_failure(info.Env(), failure);
}

// unnameNamespace(path)
void unname(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) return throw_bad_call(info.Env(), "unnameNamespace");
  std::string path = info[0].As<Napi::String>();
  Failure failure = unname_namespace(path.c_str());
  if (failure) throw_failure(info.Env(), failure);
}

// isNetworkNamespace(fd)
Napi::Value is_network(const Napi::CallbackInfo& info) {
  auto type = namespace_type(int_of(info, 0, -1));
  return Napi::Boolean::New(info.Env(), type.ok() && type.value() == CLONE_NEWNET);
}

// namespaceOwner(fd): a descriptor of the user namespace
Napi::Value owner(const Napi::CallbackInfo& info) { return show(info.Env(), namespace_owner(int_of(info, 0, -1))); }

// enterNamespace(fd): moves this thread; what leaveNamespace() takes
Napi::Value enter(const Napi::CallbackInfo& info) { return show(info.Env(), enter_namespace(int_of(info, 0, -1))); }

// leaveNamespace(home): a program that stays in the wrong network would do harm unseen, so failure ends it
void leave(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).disown(int_of(info, 0, -1));
  if (leave_namespace(int_of(info, 0, -1)))
    Napi::Error::Fatal("netloom", "the thread cannot return to its network namespace");
}

// openInetSocket(namespace or -1, ipv6, datagram, ipv6Only, address or undefined, port, scope)
Napi::Value open_socket(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  InetSocketOptions options = {};
  bool ipv6 = bool_of(info, 1), datagram = bool_of(info, 2);
  options.family = ipv6 ? AF_INET6 : AF_INET;
  options.type = datagram ? SOCK_DGRAM : SOCK_STREAM;
  options.ipv6_only = bool_of(info, 3);
  if (!info[4].IsUndefined()) {
    Bytes address = bytes_of(env, info[4]);
    if (!address.ok || address.length != (ipv6 ? 16 : 4)) return throw_bad_call(env, "openInetSocket"), env.Undefined();
    memcpy(options.address, address.data, address.length);
    options.bind = true;
    // As Node's own servers do: a port in TIME_WAIT can be listened on again.
    options.reuse_address = !datagram;
    options.port = static_cast<uint16_t>(uint_of(info, 5));
    options.scope = uint_of(info, 6);
  }
  return show(env, open_on_thread(int_of(info, 0, -1), open_inet_socket, &options));
}

// openFile(namespace or -1, path, write): a descriptor of a file that looks different from inside, as those in /proc/sys/net
Napi::Value open_file(const Napi::CallbackInfo& info) {
  if (!info[1].IsString()) return throw_bad_call(info.Env(), "openFile(namespace, path, write)"), info.Env().Undefined();
  std::string path = info[1].As<Napi::String>();
  FileOptions options = {path.c_str(), bool_of(info, 2)};
  return show(info.Env(), open_on_thread(int_of(info, 0, -1), open_path, &options));
}

}  // namespace

void define_netns(Napi::Env env, Napi::Object exports) {
  exports.Set("createNamespace", Napi::Function::New(env, create, "createNamespace"));
  exports.Set("nameNamespace", Napi::Function::New(env, name, "nameNamespace"));
  exports.Set("unnameNamespace", Napi::Function::New(env, unname, "unnameNamespace"));
  exports.Set("isNetworkNamespace", Napi::Function::New(env, is_network, "isNetworkNamespace"));
  exports.Set("namespaceOwner", Napi::Function::New(env, owner, "namespaceOwner"));
  exports.Set("enterNamespace", Napi::Function::New(env, enter, "enterNamespace"));
  exports.Set("leaveNamespace", Napi::Function::New(env, leave, "leaveNamespace"));
  exports.Set("openFile", Napi::Function::New(env, open_file, "openFile"));
  exports.Set("openInetSocket", Napi::Function::New(env, open_socket, "openInetSocket"));
}

}  // namespace netloom
