#pragma once
#include <vector>

#include "environment.h"
#include "port.h"
#include "sys/forwarder.h"

namespace netloom {

// A Forwarder on a thread of its own, which ends with its last forward.
class ForwardThread {
 public:
  // Of this environment's forwards together, or a new one.
  static ForwardThread* join(Environment& environment, bool own, Failure& failure);
  // One forward less; the last one waits for the end of the thread.
  void leave();

  Forwarder forwarder;

 private:
  uv_thread_t thread_;
  Environment* environment_ = nullptr;  // of which it is the shared one
  int forwards_ = 1;
};

// A forward between two ports, as JavaScript has it.
//
// new Forward(a, b, ownThread, paused, skipA, skipB, filterA, filterB, rates, onEvent()): programs or undefined; rates
// are bytes a second and burst of each direction, 0 = none. onEvent is called when there is something new in tell() or
// for an observer.
class Forwarding final : public Napi::ObjectWrap<Forwarding>, private LoopResource {
 public:
  static Napi::Function define(Napi::Env env);
  explicit Forwarding(const Napi::CallbackInfo& info);
  ~Forwarding();

  // Returns once the thread has let go of both ports.
  void stop();

 private:
  // Outlives the object, until its handle has closed.
  struct Bell {
    uv_async_t async;
    Environment* environment;
    Forwarding* owner;
  };

  static Napi::Value run_filter(const Napi::CallbackInfo& info);
  bool open(const Napi::CallbackInfo& info);
  void close_bell();
  Napi::Value tell(const Napi::CallbackInfo& info);
  void set_paused(const Napi::CallbackInfo& info);
  void counters(const Napi::CallbackInfo& info);
  Napi::Value observe(const Napi::CallbackInfo& info);
  Napi::Value take(const Napi::CallbackInfo& info);
  Napi::Value observed(const Napi::CallbackInfo& info);
  void unobserve(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  void close_for_exit() override;
  void discard(ForwardObserver*& observer);
  ForwardObserver* observer(const Napi::CallbackInfo& info);

  Environment& environment_;
  Port* ports_[2] = {};
  Forward* forward_ = nullptr;
  ForwardThread* thread_ = nullptr;  // while it runs
  Bell* bell_ = nullptr;
  Napi::FunctionReference on_event_;
  std::vector<ForwardObserver*> observers_;  // null: it ended
  bool attached_ = false;
};

}  // namespace netloom
