#include "loop_poll.h"

namespace netloom {

int LoopPoll::open(Environment& environment, int fd, void* owner, Callback callback) {
  auto* state = new State{};
  state->environment = &environment;
  state->owner = owner;
  state->callback = callback;
  state->events = -1;
  int error = uv_poll_init(environment.loop(), &state->handle, fd);
  if (error != 0) {
    delete state;
    return error;
  }
  state->handle.data = state;
  state_ = state;
  ref(false);
  watch(0);
  return 0;
}

void LoopPoll::watch(int events) {
  if (!state_ || state_->events == events) return;
  state_->events = events;
  if (events == 0 && state_->quiet) {
    uv_poll_stop(&state_->handle);
    return;
  }
  // Priority data does not exist on our descriptors, so asking for it alone means: errors only.
  uv_poll_start(&state_->handle, events ? events : UV_PRIORITIZED, on_poll);
}

void LoopPoll::set_quiet(bool on) {
  if (!state_ || state_->quiet == on) return;
  state_->quiet = on;
  const int events = state_->events;
  state_->events = -1;
  watch(events < 0 ? 0 : events);
}

void LoopPoll::ref(bool on) {
  if (!state_) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&state_->handle);
  if (on)
    uv_ref(handle);
  else
    uv_unref(handle);
}

void LoopPoll::close() {
  if (!state_) return;
  State* state = state_;
  state_ = nullptr;
  state->owner = nullptr;
  state->environment->closing_started();
  uv_close(reinterpret_cast<uv_handle_t*>(&state->handle), [](uv_handle_t* handle) {
    auto* state = static_cast<State*>(handle->data);
    Environment* environment = state->environment;
    delete state;
    environment->closing_finished();
  });
}

void LoopPoll::on_poll(uv_poll_t* handle, int status, int events) {
  auto* state = static_cast<State*>(handle->data);
  // libuv stops the handle on an error, but takes one for priority data where that is what we asked for.
  if (status == 0 && !(events & (UV_READABLE | UV_WRITABLE))) {
    uv_poll_stop(handle);
    status = UV_EBADF;
  }
  if (status < 0) state->events = -1;
  if (state->owner) state->callback(state->owner, status, events & (UV_READABLE | UV_WRITABLE));
}

}  // namespace netloom
