#include "forwarding.h"

#include <sys/prctl.h>

#include "arguments.h"
#include "port_report.h"
#include "slab.h"
#include "throw_errno.h"

namespace netloom {

ForwardThread* ForwardThread::join(Environment& environment, bool own, Failure& failure) {
  if (!own && environment.forwards) {
    environment.forwards->forwards_++;
    return environment.forwards;
  }
  auto* thread = new ForwardThread();
  failure = thread->forwarder.open();
  if (!failure) {
    int error = uv_thread_create(
        &thread->thread_,
        [](void* data) {
          prctl(PR_SET_NAME, "netloom-forward");
          static_cast<ForwardThread*>(data)->forwarder.run();
        },
        thread);
    if (error != 0) failure = {-error, "pthread_create", nullptr};
  }
  if (failure) {
    delete thread;
    return nullptr;
  }
  if (!own) {
    environment.forwards = thread;
    thread->environment_ = &environment;
  }
  return thread;
}

void ForwardThread::leave() {
  if (--forwards_ > 0) return;
  if (environment_) environment_->forwards = nullptr;
  forwarder.stop();
  uv_thread_join(&thread_);
  delete this;
}

void Port::end_forward() {
  if (forwarding_) forwarding_->stop();
}

Napi::Function Forwarding::define(Napi::Env env) {
  return DefineClass(env, "Forward",
                     {InstanceMethod<&Forwarding::tell>("tell"), InstanceMethod<&Forwarding::set_paused>("setPaused"),
                      InstanceMethod<&Forwarding::counters>("counters"),
                      InstanceMethod<&Forwarding::observe>("observe"), InstanceMethod<&Forwarding::take>("take"),
                      InstanceMethod<&Forwarding::observed>("observed"),
                      InstanceMethod<&Forwarding::unobserve>("unobserve"), InstanceMethod<&Forwarding::ref>("ref"),
                      InstanceMethod<&Forwarding::close>("close"),
                      StaticMethod<&Forwarding::run_filter>("runFilter")});
}

Forwarding::Forwarding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Forwarding>(info), environment_(Environment::of(info.Env())) {
  if (IsEmpty()) return;  // the worker is being terminated
  if (open(info)) return;
  // An exception is pending.
  if (thread_) thread_->leave();
  thread_ = nullptr;
  close_bell();
  on_event_.Reset();
}

bool Forwarding::open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto bad = [&] { return throw_bad_call(env, "Forward(a, b, …)"), false; };
  ForwardPort ports[2];
  Port* owners[2];
  for (uint32_t i = 0; i < 2; i++) {
    owners[i] = environment_.ports->find(uint_of(info, i, UINT32_MAX));
    if (!owners[i] || owners[i]->forwarded() || !owners[i]->describe_for_forward(ports[i])) return bad();
    ports[i].skip = uint_of(info, 4 + i);
  }
  Bytes rates = bytes_of(env, info[8]);
  if (owners[0] == owners[1] || !rates.ok || rates.length < 4 * sizeof(double) || !info[9].IsFunction()) return bad();
  forward_ = new Forward(ports[0], ports[1]);
  for (uint32_t i = 0; i < 2; i++) {
    if (!info[6 + i].IsUndefined()) {
      Bytes program = bytes_of(env, info[6 + i]);
      if (!program.ok || !forward_->set_filter(i, program.data, program.length)) return bad();
    }
    double rate[2];
    memcpy(rate, rates.data + i * sizeof rate, sizeof rate);
    if (rate[0] > 0) forward_->set_rate(i, rate[0], rate[1]);
  }
  on_event_ = Napi::Persistent(info[9].As<Napi::Function>());
  bell_ = new Bell{{}, &environment_, this};
  int error = uv_async_init(environment_.loop(), &bell_->async, [](uv_async_t* async) {
    auto* bell = reinterpret_cast<Bell*>(async);
    if (!bell->owner) return;  // it was closed meanwhile
    Napi::HandleScope scope(bell->environment->env());
    // The callback may close the forward; nothing of it is touched after.
    bell->environment->call(bell->owner->on_event_, 0, nullptr);
  });
  if (error != 0) {
    delete bell_;
    bell_ = nullptr;
    return throw_failure(env, {-error, "uv_async_init", nullptr}), false;
  }
  Failure failure;
  thread_ = ForwardThread::join(environment_, bool_of(info, 2), failure);
  if (thread_) {
    auto notify = [](void* bell) { uv_async_send(&static_cast<Bell*>(bell)->async); };
    failure = thread_->forwarder.add(*forward_, notify, bell_, bool_of(info, 3));
  }
  if (failure) return throw_failure(env, failure), false;
  for (uint32_t i = 0; i < 2; i++) {
    ports_[i] = owners[i];
    ports_[i]->forwarding_ = this;
    ports_[i]->poll_.set_quiet(true);
  }
  environment_.attach(*this);
  attached_ = true;
  Ref();  // a forward that runs is not collected
  return true;
}

Forwarding::~Forwarding() {
  close_for_exit();
  delete forward_;
  for (ForwardObserver*& observer : observers_)
    if (observer) discard(observer);
}

void Forwarding::discard(ForwardObserver*& observer) {
  Napi::MemoryManagement::AdjustExternalMemory(Env(), -static_cast<int64_t>(observer->bytes()));
  delete observer;
  observer = nullptr;
}

void Forwarding::stop() {
  if (!thread_) return;
  thread_->forwarder.remove(*forward_);
  thread_->leave();
  thread_ = nullptr;
  for (Port*& port : ports_) {
    port->forwarding_ = nullptr;
    port->poll_.set_quiet(false);
    port = nullptr;
  }
  // For JavaScript to hear of it, should it not be the one that asked.
  if (bell_) uv_async_send(&bell_->async);
}

void Forwarding::close_bell() {
  if (!bell_) return;
  Bell* bell = bell_;
  bell_ = nullptr;
  bell->owner = nullptr;
  environment_.closing_started();
  uv_close(reinterpret_cast<uv_handle_t*>(&bell->async), [](uv_handle_t* handle) {
    auto* bell = reinterpret_cast<Bell*>(handle);
    Environment* environment = bell->environment;
    delete bell;
    environment->closing_finished();
  });
}

void Forwarding::close_for_exit() {
  stop();
  close_bell();
  if (attached_) environment_.detach(*this);
  attached_ = false;
  on_event_.Reset();
}

// runFilter(program, packet, length, outgoing, interface, vlan, protocol): what a program says of a packet; for tests
Napi::Value Forwarding::run_filter(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Bytes program = bytes_of(env, info[0]), packet = bytes_of(env, info[1]);
  BpfProgram loaded;
  if (!program.ok || !packet.ok || packet.length > UINT32_MAX || !loaded.load(program.data, program.length))
    return throw_bad_call(env, "runFilter(program, packet, length, outgoing, interface, vlan, protocol)"), env.Undefined();
  const PacketFacts facts = {uint_of(info, 2), bool_of(info, 3), uint_of(info, 4), uint_of(info, 5), uint_of(info, 6)};
  return Napi::Number::New(env, loaded.run(packet.data, static_cast<uint32_t>(packet.length), facts));
}

// tell(): reports whether it runs, the port because of which it ended or -1, the error number, ports whose link is
// down or gone (bits), and kinds of super-frames that each refuses.
Napi::Value Forwarding::tell(const Napi::CallbackInfo& info) {
  int32_t* report = environment_.report;
  report[0] = thread_ != nullptr;
  report[1] = forward_ ? forward_->ended() - 1 : -1;
  report[2] = forward_ ? forward_->error() : 0;
  report[3] = forward_ ? static_cast<int32_t>(forward_->take_trouble()) : 0;
  for (uint32_t i = 0; i < 2; i++) report[4 + i] = forward_ ? static_cast<int32_t>(forward_->take_refused(i)) : 0;
  return info.Env().Undefined();
}

// setPaused(paused): returns when it is
void Forwarding::set_paused(const Napi::CallbackInfo& info) {
  if (thread_) thread_->forwarder.set_paused(*forward_, bool_of(info, 0));
}

// counters(values): received frames and bytes, sent frames and bytes, filtered, incomplete, too long, refused, left over,
// of each direction
void Forwarding::counters(const Napi::CallbackInfo& info) {
  Bytes values = bytes_of(info.Env(), info[0]);
  if (!values.ok || values.length < 18 * sizeof(uint64_t)) return throw_bad_call(info.Env(), "counters(values)");
  if (!forward_) return;
  uint64_t numbers[18];
  for (uint32_t i = 0; i < 2; i++) {
    const ForwardCounters& counters = forward_->counters(i);
    uint64_t* to = numbers + 9 * i;
    to[0] = counters.received_frames, to[1] = counters.received_bytes;
    to[2] = counters.sent_frames, to[3] = counters.sent_bytes;
    to[4] = counters.filtered, to[5] = counters.incomplete;
    to[6] = counters.too_long, to[7] = counters.refused, to[8] = counters.left_over;
  }
  memcpy(values.data, numbers, sizeof numbers);
}

// observe(directions, snapLength, frames): a number for take(), observed() and unobserve()
Napi::Value Forwarding::observe(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto* observer = new ForwardObserver(uint_of(info, 0), uint_of(info, 1), uint_of(info, 2));
  if (!observer->ok() || !thread_) {
    delete observer;
    return throw_failure(env, {thread_ ? ENOMEM : EBADF, "malloc", nullptr}), env.Undefined();
  }
  observers_.push_back(observer);
  Napi::MemoryManagement::AdjustExternalMemory(env, static_cast<int64_t>(observer->bytes()));
  thread_->forwarder.observe(*forward_, *observer, true);
  return Napi::Number::New(env, static_cast<double>(observers_.size() - 1));
}

ForwardObserver* Forwarding::observer(const Napi::CallbackInfo& info) {
  uint32_t number = uint_of(info, 0, UINT32_MAX);
  return number < observers_.size() ? observers_[number] : nullptr;
}

// take(number, slab, cursor, first, maxFrames, maxBytes): frames, or noRoom. Reports as receive() does.
Napi::Value Forwarding::take(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int32_t* report = environment_.report;
  ForwardObserver* from = observer(info);
  Slab* slab = environment_.slabs->find(uint_of(info, 1, UINT32_MAX));
  if (!slab || !from) return report[kError] = EBADF, Napi::Number::New(env, 0);
  uint32_t cursor = uint_of(info, 2), first = uint_of(info, 3), frames = uint_of(info, 4);
  if (cursor > Slab::kBytes || first > Slab::kFrames || frames > Slab::kFrames - first)
    return throw_bad_call(env, "take(number, slab, cursor, first, maxFrames, maxBytes)"), env.Undefined();
  PacketRoom room = {{slab->data(), Slab::kBytes, cursor, slab->offsets(), slab->lengths(), slab->headers(), first},
                     slab->times(), slab->originals(), slab->flags(), slab->vlans(), slab->interfaces()};
  PacketReport done = from->take(room, frames, uint_of(info, 5));
  report[kCursor] = static_cast<int32_t>(room.frames.cursor);
  report[kError] = done.error;
  return Napi::Number::New(env, done.no_room ? kNoRoom : static_cast<int32_t>(done.frames));
}

// observed(number): frames that the observer had no room for
Napi::Value Forwarding::observed(const Napi::CallbackInfo& info) {
  ForwardObserver* from = observer(info);
  return Napi::Number::New(info.Env(), from ? static_cast<double>(from->dropped()) : 0);
}

void Forwarding::unobserve(const Napi::CallbackInfo& info) {
  ForwardObserver* from = observer(info);
  if (!from) return;
  if (thread_) thread_->forwarder.observe(*forward_, *from, false);
  discard(observers_[uint_of(info, 0)]);
}

void Forwarding::ref(const Napi::CallbackInfo& info) {
  if (!bell_) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&bell_->async);
  if (bool_of(info, 0))
    uv_ref(handle);
  else
    uv_unref(handle);
}

// close(): afterwards the ports are free, and counters() and what observers have stay.
void Forwarding::close(const Napi::CallbackInfo& info) {
  if (!attached_) return;
  close_for_exit();
  Unref();
}

}  // namespace netloom
