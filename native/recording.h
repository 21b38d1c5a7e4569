#pragma once
#include "environment.h"
#include "sys/packet_recorder.h"

namespace netloom {

// A PacketRecorder on a thread of its own, which tells the loop when it has ended.
class Recording {
 public:
  using Callback = void (*)(void* owner, const RecordResult& result);

  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() { end(); }

  // `callback` is called once, in a turn of the loop, unless end() comes first. Owns `out`.
  Failure start(Environment& environment, PacketRing& ring, Fd out, RecordOptions options, void* owner, Callback callback);
  bool running() const { return state_ != nullptr; }
  // Ends it soon, with what the kernel has taken by now written, or `at_once`.
  void stop(bool at_once);
  // Ends it at once and waits for the thread.
  void end();

 private:
  struct State {
    uv_async_t async;
    uv_thread_t thread;
    Environment* environment;
    void* owner;
    Callback callback;
    PacketRecorder recorder;
    RecordResult result;
  };
  static void finish(State* state);

  State* state_ = nullptr;
};

}  // namespace netloom
