#include "netlink_binding.h"

#include <string.h>

#include "arguments.h"
#include "bindings.h"
#include "sys/netlink_socket.h"
#include "throw_errno.h"

namespace netloom {
namespace {

enum Report { kError = 0, kNeeded = 1 };

}  // namespace

Napi::Function NetlinkSocket::define(Napi::Env env) {
  return DefineClass(
      env, "NetlinkSocket",
      {InstanceMethod<&NetlinkSocket::send>("send"), InstanceMethod<&NetlinkSocket::receive>("receive"),
       InstanceMethod<&NetlinkSocket::wait>("wait"), InstanceMethod<&NetlinkSocket::set_membership>("setMembership"),
       InstanceMethod<&NetlinkSocket::set_receive_buffer>("setReceiveBuffer"),
       InstanceMethod<&NetlinkSocket::watch>("watch"), InstanceMethod<&NetlinkSocket::ref>("ref"),
       InstanceMethod<&NetlinkSocket::close>("close")});
}

NetlinkSocket::NetlinkSocket(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NetlinkSocket>(info), environment_(Environment::of(info.Env())) {
  if (IsEmpty()) return;  // the worker is being terminated
  Napi::Env env = info.Env();
  NetlinkOptions options = {};
  options.protocol = int_of(info, 1, -1);
  options.receive_buffer = int_of(info, 3, 0);
  options.all_namespaces = bool_of(info, 5);
  Bytes groups = bytes_of(env, info[2]);
  if (options.protocol < 0 || !groups.ok || groups.length > sizeof options.groups || !info[4].IsFunction()) {
    throw_bad_call(env, "NetlinkSocket(namespace, protocol, groups, receiveBuffer, onReady, allNamespaces)");
    return;
  }
  if (groups.length > 0) memcpy(options.groups, groups.data, groups.length);
  options.group_count = static_cast<uint32_t>(groups.length / sizeof(uint32_t));
  Opened opened = open_on_thread(int_of(info, 0, -1), open_netlink, &options);
  if (opened.failure) {
    throw_failure(env, opened.failure);
    return;
  }
  Fd fd(opened.descriptors[0]);
  NetlinkIdentity identity;
  memcpy(&identity, opened.payload, sizeof identity);
  int error = poll_.open(environment_, fd.get(), this, [](void* owner, int status, int) {
    auto* self = static_cast<NetlinkSocket*>(owner);
    napi_env env = self->environment_.env();
    Napi::HandleScope scope(env);
    napi_value value;
    napi_create_int32(env, status, &value);
    // The callback may close the socket; nothing of `self` is touched after it.
    self->environment_.call(self->on_ready_, 1, &value);
  });
  if (error != 0) {
    throw_failure(env, {-error, "epoll_ctl", nullptr});
    return;
  }
  fd_.reset(fd.release());
  on_ready_ = Napi::Persistent(info[4].As<Napi::Function>());
  Napi::Object self = info.This().As<Napi::Object>();
  self.Set("port", identity.port);
  self.Set("receiveBuffer", identity.receive_buffer);
  environment_.attach(*this);
  attached_ = true;
  Ref();  // an open socket is not collected
}

NetlinkSocket::~NetlinkSocket() { shut(); }

void NetlinkSocket::close_for_exit() {
  attached_ = false;
  shut();
}

void NetlinkSocket::shut() {
  if (attached_) environment_.detach(*this);
  attached_ = false;
  poll_.close();
  fd_.reset();
  on_ready_.Reset();
}

// send(bytes): 0 or an error number
Napi::Value NetlinkSocket::send(const Napi::CallbackInfo& info) {
  Bytes bytes = bytes_of(info.Env(), info[0]);
  if (!bytes.ok) return throw_bad_call(info.Env(), "send(bytes)"), info.Env().Undefined();
  return Napi::Number::New(info.Env(), fd_ ? send_netlink(fd_.get(), bytes.data, bytes.length) : EBADF);
}

// receive(slab, offsets, lengths, namespaces or undefined): datagrams; reports what ended it and the length of one that was cut
Napi::Value NetlinkSocket::receive(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Bytes slab = bytes_of(env, info[0]), offsets = bytes_of(env, info[1]), lengths = bytes_of(env, info[2]);
  Bytes namespaces;
  if (!info[3].IsUndefined()) namespaces = bytes_of(env, info[3]);
  if (!slab.ok || !offsets.ok || !lengths.ok || offsets.length != lengths.length ||
      (!info[3].IsUndefined() && (!namespaces.ok || namespaces.length != lengths.length)))
    return throw_bad_call(env, "receive(slab, offsets, lengths, namespaces)"), env.Undefined();
  NetlinkReceived done;
  if (fd_) {
    done = receive_netlink(fd_.get(), slab.data, slab.length, reinterpret_cast<uint32_t*>(offsets.data),
                           reinterpret_cast<uint32_t*>(lengths.data),
                           namespaces.ok ? reinterpret_cast<int32_t*>(namespaces.data) : nullptr,
                           static_cast<uint32_t>(offsets.length / 4));
  } else {
    done.error = EBADF;
  }
  environment_.report[kError] = done.error;
  environment_.report[kNeeded] = static_cast<int32_t>(done.needed);
  return Napi::Number::New(env, done.datagrams);
}

// wait(milliseconds): 0 when readable, or an error number. Blocks the thread.
Napi::Value NetlinkSocket::wait(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fd_ ? wait_netlink(fd_.get(), int_of(info, 0)) : EBADF);
}

// setMembership(group, join)
void NetlinkSocket::set_membership(const Napi::CallbackInfo& info) {
  Failure failure = join_netlink_group(fd_.get(), uint_of(info, 0), bool_of(info, 1));
  if (failure) throw_failure(info.Env(), failure);
}

// setReceiveBuffer(bytes): the size in force
Napi::Value NetlinkSocket::set_receive_buffer(const Napi::CallbackInfo& info) {
  auto result = set_netlink_receive_buffer(fd_.get(), int_of(info, 0));
  if (!result.ok()) return throw_failure(info.Env(), result.failure()), info.Env().Undefined();
  return Napi::Number::New(info.Env(), result.value());
}

// watch(readable)
void NetlinkSocket::watch(const Napi::CallbackInfo& info) { poll_.watch(bool_of(info, 0) ? UV_READABLE : 0); }

void NetlinkSocket::ref(const Napi::CallbackInfo& info) { poll_.ref(bool_of(info, 0)); }

void NetlinkSocket::close(const Napi::CallbackInfo& info) {
  if (!fd_) return;
  shut();
  Unref();
}

void define_netlink(Napi::Env env, Napi::Object exports) { exports.Set("NetlinkSocket", NetlinkSocket::define(env)); }

}  // namespace netloom
