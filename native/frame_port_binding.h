#pragma once
#include "environment.h"
#include "loop_poll.h"
#include "sys/fd.h"
#include "sys/frame_io.h"

namespace netloom {

// A descriptor that carries frames, on the loop of its environment. Holds no frame memory and no policy: each
// receive() and send() is one crossing for a batch, into or out of memory that the caller names.
//
// new FramePort(fd, ethernet, packetInformation, vnetHeaderSize, maxFrameLength,
// onReady(status, events)) owns `fd` on success, also when the environment did.
class FramePort final : public Napi::ObjectWrap<FramePort>, private LoopResource {
 public:
  static Napi::Function define(Napi::Env env);
  explicit FramePort(const Napi::CallbackInfo& info);
  ~FramePort();

 private:
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value send_slab(const Napi::CallbackInfo& info);
  Napi::Value send_bytes(const Napi::CallbackInfo& info);
  Napi::Value send_frame(const Napi::CallbackInfo& info);
  Napi::Value send(const FrameList& list, bool budgeted);
  void watch(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void set_framing(const Napi::CallbackInfo& info);
  Napi::Value descriptor(const Napi::CallbackInfo& info);
  // Ends the port; the descriptor is closed, or handed over as a number, to be closed with the environment, if asked for.
  Napi::Value close(const Napi::CallbackInfo& info);

  void close_for_exit() override;
  void shut();
  bool budget_spent();

  Environment& environment_;
  Fd fd_;
  Framing framing_;
  LoopPoll poll_;
  Napi::FunctionReference on_ready_;
  bool attached_ = false;
  // One loop turn's share of work. It ends with the next readiness callback.
  uint64_t turn_time_ = 0;   // uv_now at its start, ms
  uint64_t turn_start_ = 0;  // uv_hrtime at its start, ns
  uint32_t turn_frames_ = 0;
};

}  // namespace netloom
