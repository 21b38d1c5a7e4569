#pragma once
#include <napi.h>
#include <uv.h>

#include <set>

#include "numbered.h"
#include "slab.h"

namespace netloom {

class Environment;
class ForwardThread;
class Port;
struct WritingMemory;

// Something with a uv handle that must be closed before its environment goes.
class LoopResource {
 public:
  virtual void close_for_exit() = 0;

 protected:
  ~LoopResource() = default;

 private:
  friend class Environment;
  LoopResource* previous_ = nullptr;
  LoopResource* next_ = nullptr;
};

// The state of one Node environment (the main thread or one worker). Lives until its last uv handle has
// closed, which its one asynchronous clean-up hook waits for.
class Environment {
 public:
  static Environment* create(Napi::Env env);
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  napi_env env() const { return env_; }
  uv_loop_t* loop() const { return loop_; }
  bool exiting() const { return exiting_; }

  void attach(LoopResource& resource);
  void detach(LoopResource& resource);
  // A descriptor that JavaScript holds as a number, perhaps: closed with the environment if nobody does before.
  void own(int fd) { owned_.insert(fd); }
  void disown(int fd) { owned_.erase(fd); }
  // A descriptor has one port at most: false if it has one already.
  bool take_for_port(int fd) { return of_ports_.insert(fd).second; }
  void leave_to_others(int fd) { of_ports_.erase(fd); }
  // Around uv_close: the environment outlives the callback.
  void closing_started() { closing_++; }
  void closing_finished();

  // Calls into JavaScript from a loop callback. What the user's code throws becomes an uncaught exception, as
  // from any callback of Node's. The caller must expect to have been closed meanwhile.
  void call(const Napi::FunctionReference& function, size_t count, const napi_value* values);

  // Tells onReady(status, events, count) of a descriptor; the same holds. `count`: what was read, or why not.
  void tell_ready(const Napi::FunctionReference& on_ready, int status, int events, int32_t count);

  // What they name may be finalized after the environment.
  Numbered<Port>* const ports = new Numbered<Port>();
  Numbered<Slab>* const slabs = new Numbered<Slab>();
  Napi::FunctionReference make_system_error;
  SharedMemory* const report_memory;
  // What native calls report beside their result; JavaScript reads it as one Int32Array.
  int32_t* const report;
  // The thread that this environment's forwards share, while there are any.
  ForwardThread* forwards = nullptr;
  // For joining and cutting frames; made when first asked for.
  WritingMemory& writing_memory();
  napi_value show_report() { return report_memory->show(env_); }

 private:
  explicit Environment(Napi::Env env);
  ~Environment();
  static void clean_up(napi_async_cleanup_hook_handle hook, void* data);
  void finish_if_done();

  napi_env env_;
  uv_loop_t* loop_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  LoopResource* first_ = nullptr;
  std::set<int> owned_;
  std::set<int> of_ports_;
  WritingMemory* writing_memory_ = nullptr;
  int closing_ = 0;
  bool exiting_ = false;
};

}  // namespace netloom
