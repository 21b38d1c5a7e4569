#pragma once
#include "environment.h"

namespace netloom {

// A uv_poll_t with a legal order of destruction: the uv handle is freed in its close callback, which the
// environment waits for, while the owner may go at once.
class LoopPoll {
 public:
  // `status` is 0 or negative errno; `events` are UV_READABLE and UV_WRITABLE. After an error nothing is reported
  // until watch() is called again.
  using Callback = void (*)(void* owner, int status, int events);

  LoopPoll() = default;
  LoopPoll(const LoopPoll&) = delete;
  LoopPoll& operator=(const LoopPoll&) = delete;
  ~LoopPoll() { close(); }

  // 0 or negative errno. The descriptor stays the caller's and must be closed after close().
  int open(Environment& environment, int fd, void* owner, Callback callback);
  // Errors and hang-ups are always reported, also with no events asked for.
  void watch(int events);
  // While somebody else waits for the descriptor: errors alone are not asked for. The kernel would wake the loop for every
  // frame to find out that there is none.
  void set_quiet(bool on);
  void ref(bool on);
  void close();
  bool is_open() const { return state_ != nullptr; }
  int watched() const { return state_ ? state_->events : 0; }

 private:
  struct State {
    uv_poll_t handle;
    Environment* environment;
    void* owner;
    Callback callback;
    int events;
    bool quiet;
  };
  static void on_poll(uv_poll_t* handle, int status, int events);

  State* state_ = nullptr;
};

}  // namespace netloom
