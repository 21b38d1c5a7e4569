#pragma once
#include "environment.h"
#include "forwarded_port.h"
#include "loop_poll.h"
#include "sys/fd.h"
#include "sys/frame_io.h"
#include "sys/frame_splitter.h"
#include "sys/frame_writer.h"
#include "turn_budget.h"

namespace netloom {

// A descriptor that carries frames, on the loop of its environment. Holds no frame memory and no policy: each
// receive() and send() is one crossing for a batch, into or out of memory that the caller names.
//
// new FramePort(fd, framing, onReady(status, events)) owns `fd` on success, also when the environment did.
class FramePort final : public Napi::ObjectWrap<FramePort>, public ForwardedPort, private LoopResource {
 public:
  static const napi_type_tag kTag;
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
  void renew(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void set_framing(const Napi::CallbackInfo& info);
  Napi::Value descriptor(const Napi::CallbackInfo& info);
  // Ends the port; the descriptor is closed, or handed over as a number, to be closed with the environment, if asked for.
  Napi::Value close(const Napi::CallbackInfo& info);

  // Of an object with the names of src/port/handle.ts; false: it is not one.
  bool read_framing(Napi::Value value);
  bool describe_for_forward(ForwardPort& port) override;
  void set_quiet(bool on) override { poll_.set_quiet(on); }
  void close_for_exit() override;
  void shut();

  Environment& environment_;
  Fd fd_;
  Framing framing_;
  FrameWriter writer_;
  FrameSplitter* splitter_ = nullptr;  // of ports that cut super-frames
  uint32_t abandoned_ = 0;             // frames that are lost and not told of yet
  LoopPoll poll_;
  Napi::FunctionReference on_ready_;
  bool attached_ = false;
  TurnBudget turn_;
};

}  // namespace netloom
