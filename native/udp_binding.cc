#include "udp_binding.h"

#include <string.h>
#include <sys/socket.h>

#include <string>

#include "arguments.h"
#include "bindings.h"
#include "port_report.h"
#include "slab.h"
#include "throw_errno.h"

namespace netloom {
namespace {

// Bytes in which JavaScript tells and hears of an endpoint: address, scope, port, family (4, 6, or 0 for none).
constexpr size_t kEndpointBytes = 24;

struct EndpointWords {
  uint8_t address[16];
  uint32_t scope;
  uint16_t port;
  uint8_t family;
  uint8_t unused;
};
static_assert(sizeof(EndpointWords) == kEndpointBytes);

bool read_endpoint(napi_env env, napi_value value, Endpoint& out) {
  Bytes bytes = bytes_of(env, value);
  if (!bytes.ok || bytes.length != kEndpointBytes) return false;
  EndpointWords words;
  memcpy(&words, bytes.data, sizeof words);
  out = {};
  if (words.family == 0) return true;
  out.family = words.family == 4 ? AF_INET : AF_INET6;
  memcpy(out.address, words.address, words.family == 4 ? 4 : 16);
  out.scope = words.family == 4 ? 0 : words.scope;
  out.port = words.port;
  return true;
}

bool write_endpoint(napi_env env, napi_value value, const Endpoint& endpoint) {
  Bytes bytes = bytes_of(env, value);
  if (!bytes.ok || bytes.length != kEndpointBytes) return false;
  EndpointWords words = {};
  memcpy(words.address, endpoint.address, sizeof words.address);
  words.scope = endpoint.scope;
  words.port = endpoint.port;
  words.family = endpoint.family == AF_INET ? 4 : endpoint.family == AF_INET6 ? 6 : 0;
  memcpy(bytes.data, &words, sizeof words);
  return true;
}

// openUdpSocket(namespace or -1, settings, bind, peer, device): a descriptor; reports whether the kernel coalesces, and
// whether it segments. Settings: ipv6, ipv6Only, reusePort, reuseAddress, coalesce, information, receiveBuffer,
// sendBuffer, marked, mark, typeOfService, ttl, mtuDiscovery.
Napi::Value open_socket(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Bytes settings = bytes_of(env, info[1]);
  UdpOptions options = {};
  int32_t values[13];
  if (!settings.ok || settings.length != sizeof values || !read_endpoint(env, info[2], options.bind) ||
      !read_endpoint(env, info[3], options.peer) || !info[4].IsString())
    return throw_bad_call(env, "openUdpSocket(namespace, settings, bind, peer, device)"), env.Undefined();
  memcpy(values, settings.data, sizeof values);
  std::string device = info[4].As<Napi::String>();
  if (device.size() >= sizeof options.device) return throw_bad_call(env, "openUdpSocket: device"), env.Undefined();
  options.family = values[0] ? AF_INET6 : AF_INET;
  options.ipv6_only = values[1];
  options.reuse_port = values[2];
  options.reuse_address = values[3];
  options.coalesce = values[4];
  options.information = values[5];
  options.receive_buffer = values[6];
  options.send_buffer = values[7];
  options.marked = values[8];
  options.mark = static_cast<uint32_t>(values[9]);
  options.type_of_service = values[10];
  options.ttl = values[11];
  options.mtu_discovery = values[12];
  memcpy(options.device, device.data(), device.size());
  Opened opened = open_on_thread(int_of(info, 0, -1), open_udp_socket, &options);
  if (opened.failure) return throw_failure(env, opened.failure), env.Undefined();
  Environment& environment = Environment::of(env);
  environment.report[0] = opened.payload[0];
  environment.report[1] = opened.payload[1];
  environment.own(opened.descriptors[0]);
  return Napi::Number::New(env, opened.descriptors[0]);
}

}  // namespace

void define_udp(Napi::Env env, Napi::Object exports) {
  exports.Set("openUdpSocket", Napi::Function::New(env, open_socket, "openUdpSocket"));
  exports.Set("UdpPort", UdpPort::define(env));
}

Napi::Function UdpPort::define(Napi::Env env) {
  return DefineClass(
      env, "UdpPort",
      {InstanceMethod<&UdpPort::receive>("receive"), InstanceMethod<&UdpPort::send_slab>("sendSlab"),
       InstanceMethod<&UdpPort::send_bytes>("sendBytes"), InstanceMethod<&UdpPort::read_error>("readError"),
       InstanceMethod<&UdpPort::intern>("intern"), InstanceMethod<&UdpPort::endpoint>("endpoint"),
       InstanceMethod<&UdpPort::local>("local"), InstanceMethod<&UdpPort::segments>("segments"),
       InstanceMethod<&UdpPort::descriptor>("descriptor"), InstanceMethod<&UdpPort::watch>("watch"),
       InstanceMethod<&UdpPort::renew>("renew"), InstanceMethod<&UdpPort::ref>("ref"), InstanceMethod<&UdpPort::close>("close"),
       StaticValue("mostSegments", Napi::Number::New(env, UdpSocket::kMostSegments))});
}

UdpPort::UdpPort(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<UdpPort>(info), environment_(Environment::of(info.Env())) {
  if (IsEmpty()) return;  // the worker is being terminated
  Napi::Env env = info.Env();
  int fd = int_of(info, 0, -1);
  if (fd < 0 || !info[4].IsFunction()) {
    throw_bad_call(env, "UdpPort(fd, ipv6, coalesce, segment, onReady)");
    return;
  }
  int error = poll_.open(environment_, fd, this, [](void* owner, int status, int events) {
    auto* self = static_cast<UdpPort*>(owner);
    self->turn_.renew();
    // The callback may close the port; nothing of `self` is touched after it.
    self->environment_.tell_ready(self->on_ready_, status, events, kNothingRead);
  });
  if (error != 0) {
    throw_failure(env, {-error, "epoll_ctl", nullptr});
    return;
  }
  poll_.set_quiet(true);
  socket_.open(fd, bool_of(info, 1) ? AF_INET6 : AF_INET, bool_of(info, 2), bool_of(info, 3));
  environment_.disown(fd);
  on_ready_ = Napi::Persistent(info[4].As<Napi::Function>());
  environment_.attach(*this);
  attached_ = true;
  Ref();  // an open socket is not collected
}

UdpPort::~UdpPort() { shut(); }

void UdpPort::close_for_exit() {
  attached_ = false;
  shut();
}

void UdpPort::shut() {
  if (attached_) environment_.detach(*this);
  attached_ = false;
  poll_.close();
  socket_.close();
  on_ready_.Reset();
}

// receive(slab, cursor, first, maxDatagrams, maxBytes, budgeted): datagrams read, or budgetSpent.
// Reports the new cursor, the errno that ended it (EAGAIN: drained), the datagrams too long to take, and the bytes.
Napi::Value UdpPort::receive(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int32_t* report = environment_.report;
  if (!socket_) return report[kError] = EBADF, report[kCut] = 0, Napi::Number::New(env, 0);
  if (bool_of(info, 5) && turn_.spent(environment_.loop())) return Napi::Number::New(env, kBudgetSpent);
  Slab* slab = environment_.slabs->find(uint_of(info, 0, UINT32_MAX));
  uint32_t cursor = uint_of(info, 1), first = uint_of(info, 2);
  if (!slab || cursor > Slab::kBytes || first > Slab::kFrames)
    return throw_bad_call(env, "receive(slab, cursor, first, maxDatagrams, maxBytes)"), env.Undefined();
  DatagramRoom room = {slab->data(),   Slab::kBytes,       cursor, slab->offsets(), slab->lengths(), slab->senders(),
                       slab->locals(), slab->services(), slab->interfaces(), first, Slab::kFrames};
  DatagramReadReport done = socket_.read(room, uint_of(info, 3), uint_of(info, 4));
  turn_.add(done.datagrams);
  report[kCursor] = static_cast<int32_t>(room.cursor);
  report[kError] = done.error;
  report[kCut] = static_cast<int32_t>(done.cut);
  report[kTaken] = static_cast<int32_t>(done.bytes);
  return Napi::Number::New(env, done.datagrams);
}

// sendSlab(slab, first, count, from, answer, endpoint, local, typeOfService, budgeted); `answer`: each to where it came from
Napi::Value UdpPort::send_slab(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Slab* slab = environment_.slabs->find(uint_of(info, 0, UINT32_MAX));
  uint32_t first = uint_of(info, 1), count = uint_of(info, 2), from = uint_of(info, 3);
  if (!slab || first > Slab::kFrames || count > Slab::kFrames - first || from > count)
    return throw_bad_call(env, "sendSlab(slab, first, count, from)"), env.Undefined();
  DatagramList list = {};
  list.data = slab->data();
  list.size = Slab::kBytes;
  list.offsets = slab->offsets() + first;
  list.lengths = slab->lengths() + first;
  list.answer = bool_of(info, 4);
  list.endpoints = list.answer ? slab->senders() + first : nullptr;
  list.from = from;
  list.count = count;
  return send(list, info, 5);
}

// sendBytes(bytes, offsets, lengths, count, from, endpoints or undefined, endpoint, local, typeOfService, budgeted)
Napi::Value UdpPort::send_bytes(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Bytes data = bytes_of(env, info[0]), offsets = bytes_of(env, info[1]), lengths = bytes_of(env, info[2]);
  uint32_t count = uint_of(info, 3), from = uint_of(info, 4);
  Bytes to;
  if (!info[5].IsUndefined()) to = bytes_of(env, info[5]);
  if (!data.ok || !offsets.ok || !lengths.ok || offsets.length / 4 < count || lengths.length / 4 < count || from > count ||
      (!info[5].IsUndefined() && (!to.ok || to.length / 4 < count)))
    return throw_bad_call(env, "sendBytes(bytes, offsets, lengths, count, from, endpoints)"), env.Undefined();
  DatagramList list = {};
  list.data = data.data;
  list.size = data.length;
  list.offsets = reinterpret_cast<uint32_t*>(offsets.data);
  list.lengths = reinterpret_cast<uint32_t*>(lengths.data);
  list.endpoints = to.ok ? reinterpret_cast<uint32_t*>(to.data) : nullptr;
  list.from = from;
  list.count = count;
  return send(list, info, 6);
}

// The arguments endpoint, local, typeOfService and budgeted follow. Returns the first datagram not looked at, or
// budgetSpent; the rest is reported.
Napi::Value UdpPort::send(DatagramList& list, const Napi::CallbackInfo& info, size_t argument) {
  Napi::Env env = info.Env();
  list.endpoint = uint_of(info, argument);
  list.local = uint_of(info, argument + 1);
  list.type_of_service = int_of(info, argument + 2, -1);
  bool budgeted = bool_of(info, argument + 3);
  WriteReport done;
  if (!socket_) {
    done.next = list.from;
    done.error = EBADF;
  } else {
    if (budgeted && turn_.spent(environment_.loop())) return Napi::Number::New(env, kBudgetSpent);
    done = socket_.write(list, !budgeted ? UINT32_MAX : socket_.segments() ? 512 : 128);
    turn_.add(done.next - list.from);
  }
  tell(environment_.report, done);
  return Napi::Number::New(env, done.next);
}

// readError(): false when there is none. Reports errno, origin, type, code, MTU and endpoint.
Napi::Value UdpPort::read_error(const Napi::CallbackInfo& info) {
  DatagramError error = {};
  if (!socket_ || !socket_.read_error(error)) return Napi::Boolean::New(info.Env(), false);
  int32_t* report = environment_.report;
  report[0] = error.error;
  report[1] = error.origin;
  report[2] = error.type;
  report[3] = error.code;
  report[4] = static_cast<int32_t>(error.mtu);
  report[5] = static_cast<int32_t>(error.endpoint);
  return Napi::Boolean::New(info.Env(), true);
}

// intern(endpoint): its number
Napi::Value UdpPort::intern(const Napi::CallbackInfo& info) {
  Endpoint endpoint;
  if (!read_endpoint(info.Env(), info[0], endpoint) || endpoint.family == 0)
    return throw_bad_call(info.Env(), "intern(endpoint)"), info.Env().Undefined();
  return Napi::Number::New(info.Env(), socket_.endpoints().intern(endpoint));
}

// endpoint(number, out): false when the number is known no more
Napi::Value UdpPort::endpoint(const Napi::CallbackInfo& info) {
  const Endpoint* found = socket_.endpoints().find(uint_of(info, 0));
  if (!found) return Napi::Boolean::New(info.Env(), false);
  if (!write_endpoint(info.Env(), info[1], *found))
    return throw_bad_call(info.Env(), "endpoint(number, out)"), info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), true);
}

// local(out, peer): what the socket is bound or connected to; false when it is to nothing
Napi::Value UdpPort::local(const Napi::CallbackInfo& info) {
  sockaddr_storage address = {};
  socklen_t length = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  bool peer = bool_of(info, 1);
  int failed = peer ? getpeername(socket_.fd(), name, &length) : getsockname(socket_.fd(), name, &length);
  if (failed) return Napi::Boolean::New(info.Env(), false);
  if (!write_endpoint(info.Env(), info[0], Endpoint::of(name)))
    return throw_bad_call(info.Env(), "local(out, peer)"), info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), true);
}

Napi::Value UdpPort::segments(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), socket_.segments());
}

Napi::Value UdpPort::descriptor(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), socket_.fd()); }

// watch(events): UV_READABLE, UV_WRITABLE, and UV_PRIORITIZED for errors alone. With none of them the socket is not
// polled: the kernel would wake the loop for each datagram that has left.
void UdpPort::watch(const Napi::CallbackInfo& info) {
  const int events = int_of(info, 0);
  poll_.set_quiet(!(events & UV_PRIORITIZED));
  poll_.watch(events & (UV_READABLE | UV_WRITABLE));
}

void UdpPort::renew(const Napi::CallbackInfo&) { turn_.renew(); }

void UdpPort::ref(const Napi::CallbackInfo& info) { poll_.ref(bool_of(info, 0)); }

void UdpPort::close(const Napi::CallbackInfo& info) {
  if (!socket_) return;
  shut();
  Unref();
}

}  // namespace netloom
