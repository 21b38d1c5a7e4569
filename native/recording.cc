#include "recording.h"

namespace netloom {

Failure Recording::start(Environment& environment, PacketRing& ring, Fd out, RecordOptions options, void* owner,
                         Callback callback) {
  auto* state = new State{};
  state->environment = &environment;
  state->owner = owner;
  state->callback = callback;
  Failure failure = state->recorder.prepare(ring, static_cast<Fd&&>(out), std::move(options));
  if (failure) {
    delete state;
    return failure;
  }
  int error = uv_async_init(environment.loop(), &state->async, [](uv_async_t* async) {
    auto* recording = static_cast<Recording*>(async->data);
    if (!recording) return;  // it was ended meanwhile
    State* state = recording->state_;
    recording->state_ = nullptr;
    uv_thread_join(&state->thread);
    void* owner = state->owner;
    Callback callback = state->callback;
    RecordResult result = state->result;
    finish(state);
    // The callback may do away with `recording`; nothing of it is touched after.
    callback(owner, result);
  });
  if (error != 0) {
    delete state;
    return {-error, "uv_async_init", nullptr};
  }
  state->async.data = this;
  error = uv_thread_create(
      &state->thread,
      [](void* data) {
        auto* state = static_cast<State*>(data);
        state->result = state->recorder.run();
        uv_async_send(&state->async);
      },
      state);
  if (error != 0) {
    finish(state);
    return {-error, "pthread_create", nullptr};
  }
  state_ = state;
  return {};
}

void Recording::stop(bool at_once) {
  if (state_) state_->recorder.stop(at_once);
}

void Recording::end() {
  if (!state_) return;
  State* state = state_;
  state_ = nullptr;
  state->async.data = nullptr;
  state->recorder.stop(true);
  uv_thread_join(&state->thread);
  finish(state);
}

void Recording::finish(State* state) {
  state->environment->closing_started();
  uv_close(reinterpret_cast<uv_handle_t*>(&state->async), [](uv_handle_t* handle) {
    auto* state = reinterpret_cast<State*>(handle);
    Environment* environment = state->environment;
    delete state;
    environment->closing_finished();
  });
}

}  // namespace netloom
