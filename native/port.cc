#include "port.h"

#include "arguments.h"
#include "port_report.h"
#include "slab.h"
#include "throw_errno.h"

namespace netloom {

Port::Port(Environment& environment)
    : environment_(environment),
      ports_(environment.ports),
      number_(ports_->add(*this)),
      wanted_(SharedMemory::allocate(2 * sizeof(uint32_t))) {}

Port::~Port() {
  ports_->remove(number_);
  wanted_->drop();
}

bool Port::start(Napi::Object object, int fd, Napi::Function on_ready) {
  Napi::Env env = object.Env();
  napi_value wanted = wanted_->show(env);
  if (!wanted) return false;
  object.Set("number", Napi::Number::New(env, number_));
  object.Set("wanted", Napi::Value(env, wanted));
  if (!environment_.take_for_port(fd)) return throw_failure(env, {EEXIST, "epoll_ctl", nullptr}), false;
  int error = poll_.open(environment_, fd, this, [](void* owner, int status, int events) {
    auto* self = static_cast<Port*>(owner);
    self->turn_.renew();
    if (status < 0) status = self->status_of(status);
    const int32_t read = status == 0 && (events & UV_READABLE) ? self->read_ahead() : kNothingRead;
    // The callback may close the port; nothing of `self` is touched after it.
    self->environment_.tell_ready(self->on_ready_, status, events, read);
  });
  if (error != 0) {
    environment_.leave_to_others(fd);
    throw_failure(env, {-error, "epoll_ctl", nullptr});
    return false;
  }
  polled_ = fd;
  on_ready_ = Napi::Persistent(on_ready);
  environment_.attach(*this);
  attached_ = true;
  return true;
}

int32_t Port::read_ahead() {
  const auto* wanted = reinterpret_cast<uint32_t*>(wanted_->data());
  if (wanted[0] == 0) return kNothingRead;
  const auto* room = reinterpret_cast<uint32_t*>(environment_.report);
  Slab* slab = environment_.slabs->find(room[kRoomSlab]);
  const uint32_t cursor = room[kRoomCursor], first = room[kRoomFirst];
  if (!slab || cursor > Slab::kBytes || first >= Slab::kFrames) return kNothingRead;
  const uint32_t left = Slab::kFrames - first;
  return receive(*slab, cursor, first, wanted[0] < left ? wanted[0] : left, wanted[1], true);
}

void Port::stop() {
  if (attached_) environment_.detach(*this);
  attached_ = false;
  if (polled_ >= 0) environment_.leave_to_others(polled_);
  polled_ = -1;
  poll_.close();
  on_ready_.Reset();
}

void Port::close_for_exit() {
  attached_ = false;
  shut();
}

// A call that JavaScript makes of a port, with its arguments.
class PortCall {
 public:
  PortCall(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = kArguments;
    void* environment = nullptr;
    if (napi_get_cb_info(env, info, &count, arguments_, nullptr, &environment) != napi_ok) return;
    environment_ = static_cast<Environment*>(environment);
    port_ = environment_->ports->find(number(0, UINT32_MAX));
  }

  // False, with an exception, if there is no such port. `what` is the call.
  bool is_for_port(const char* what) {
    if (!port_) throw_bad_call(env_, what);
    return port_ != nullptr;
  }

  uint32_t number(size_t i, uint32_t fallback = 0) const { return uint_of(env_, arguments_[i], fallback); }
  bool flag(size_t i) const { return bool_of(env_, arguments_[i]); }
  Bytes bytes(size_t i) const { return bytes_of(env_, arguments_[i]); }
  Slab* slab(size_t i) const { return environment_->slabs->find(number(i, UINT32_MAX)); }

  // receive(port, slab, cursor, first, maxFrames, maxBytes, budgeted)
  static napi_value receive(napi_env env, napi_callback_info info) {
    constexpr char what[] = "receive(port, slab, cursor, first, maxFrames, maxBytes, budgeted)";
    PortCall call(env, info);
    if (!call.is_for_port(what)) return nullptr;
    Slab* slab = call.slab(1);
    const uint32_t cursor = call.number(2), first = call.number(3), frames = call.number(4);
    if (!slab || cursor > Slab::kBytes || first > Slab::kFrames || frames > Slab::kFrames - first)
      return throw_bad_call(env, what), nullptr;
    return number_value(env, call.port_->receive(*slab, cursor, first, frames, call.number(5), call.flag(6)));
  }

  // sendSlab(port, slab, first, count, from, withHeaders, budgeted)
  static napi_value send_slab(napi_env env, napi_callback_info info) {
    constexpr char what[] = "sendSlab(port, slab, first, count, from, withHeaders, budgeted)";
    PortCall call(env, info);
    if (!call.is_for_port(what)) return nullptr;
    Slab* slab = call.slab(1);
    const uint32_t first = call.number(2), count = call.number(3), from = call.number(4);
    if (!slab || first > Slab::kFrames || count > Slab::kFrames - first || from > count)
      return throw_bad_call(env, what), nullptr;
    return call.send({slab->data(), Slab::kBytes, slab->offsets() + first, slab->lengths() + first,
                      call.flag(5) ? slab->headers() + first : nullptr, from, count},
                     call.flag(6));
  }

  // sendBytes(port, bytes, offsets, lengths, count, from, headers or undefined, budgeted)
  static napi_value send_bytes(napi_env env, napi_callback_info info) {
    constexpr char what[] = "sendBytes(port, bytes, offsets, lengths, count, from, headers, budgeted)";
    PortCall call(env, info);
    if (!call.is_for_port(what)) return nullptr;
    const Bytes data = call.bytes(1), offsets = call.bytes(2), lengths = call.bytes(3), headers = call.bytes(6);
    const uint32_t count = call.number(4), from = call.number(5);
    const bool fits = data.ok && offsets.ok && lengths.ok && offsets.length / 4 >= count &&
                      lengths.length / 4 >= count && from <= count;
    const bool headed = !headers.ok || (headers.length / sizeof(VnetHeader) >= count &&
                                        reinterpret_cast<uintptr_t>(headers.data) % alignof(VnetHeader) == 0);
    if (!fits || !headed) return throw_bad_call(env, what), nullptr;
    return call.send(
        {data.data, data.length, reinterpret_cast<uint32_t*>(offsets.data), reinterpret_cast<uint32_t*>(lengths.data),
         headers.ok ? reinterpret_cast<VnetHeader*>(headers.data) : nullptr, from, count},
        call.flag(7));
  }

  // sendFrame(port, bytes, budgeted): one frame without columns; undefined: not the bytes of an ArrayBuffer.
  static napi_value send_frame(napi_env env, napi_callback_info info) {
    PortCall call(env, info);
    if (!call.is_for_port("sendFrame(port, bytes, budgeted)")) return nullptr;
    const Bytes data = call.bytes(1);
    if (!data.ok || data.length > UINT32_MAX) return nullptr;
    const uint32_t offset = 0, length = static_cast<uint32_t>(data.length);
    return call.send({data.data, data.length, &offset, &length, nullptr, 0, 1}, call.flag(2));
  }

  // watch(port, events): 1 readable, 2 writable; errors are always reported
  static napi_value watch(napi_env env, napi_callback_info info) {
    PortCall call(env, info);
    if (call.is_for_port("watch(port, events)")) call.port_->poll_.watch(static_cast<int>(call.number(1)) & (UV_READABLE | UV_WRITABLE));
    return nullptr;
  }

  // renew(port): another turn of the loop has begun
  static napi_value renew(napi_env env, napi_callback_info info) {
    PortCall call(env, info);
    if (call.is_for_port("renew(port)")) call.port_->turn_.renew();
    return nullptr;
  }

  // ref(port, on)
  static napi_value ref(napi_env env, napi_callback_info info) {
    PortCall call(env, info);
    if (call.is_for_port("ref(port, on)")) call.port_->poll_.ref(call.flag(1));
    return nullptr;
  }

 private:
  static constexpr size_t kArguments = 8;

  static napi_value number_value(napi_env env, int64_t value) {
    napi_value result = nullptr;
    napi_create_int64(env, value, &result);
    return result;
  }

  // The first frame not looked at, or budgetSpent; the rest is reported.
  napi_value send(const FrameList& list, bool budgeted) {
    WriteReport done;
    done.next = list.from;
    if (!port_->open()) {
      done.error = EBADF;
    } else {
      if (budgeted && port_->turn_.spent(environment_->loop())) return number_value(env_, kBudgetSpent);
      done = port_->write(list, budgeted ? 256 : UINT32_MAX);
      port_->turn_.add(done.next - list.from);
    }
    tell(environment_->report, done);
    return number_value(env_, done.next);
  }

  napi_env env_;
  Environment* environment_ = nullptr;
  Port* port_ = nullptr;
  napi_value arguments_[kArguments] = {};
};

void Port::define(Napi::Env env, Napi::Object exports) {
  Napi::Object calls = Napi::Object::New(env);
  auto set = [&](const char* name, napi_callback call) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, &Environment::of(env), &function);
    calls.Set(name, Napi::Value(env, function));
  };
  set("receive", PortCall::receive);
  set("sendSlab", PortCall::send_slab);
  set("sendBytes", PortCall::send_bytes);
  set("sendFrame", PortCall::send_frame);
  set("watch", PortCall::watch);
  set("renew", PortCall::renew);
  set("ref", PortCall::ref);
  exports.Set("ports", calls);
}

}  // namespace netloom
