#pragma once
#include "port.h"
#include "sys/fd.h"
#include "sys/frame_splitter.h"
#include "sys/frame_writer.h"

namespace netloom {

// A descriptor that carries frames.
//
// new FramePort(fd, framing, onReady(status, events, count)) owns `fd` on success, also when the environment did.
class FramePort final : public Napi::ObjectWrap<FramePort>, public Port {
 public:
  static Napi::Function define(Napi::Env env);
  explicit FramePort(const Napi::CallbackInfo& info);
  ~FramePort();

 private:
  void set_framing(const Napi::CallbackInfo& info);
  Napi::Value descriptor(const Napi::CallbackInfo& info);
  // Ends the port; the descriptor is closed, or handed over as a number, to be closed with the environment, if asked for.
  Napi::Value close(const Napi::CallbackInfo& info);

  // Of an object with the names of src/port/handle.ts; false: it is not one.
  bool read_framing(Napi::Value value);
  bool open() const override { return static_cast<bool>(fd_); }
  int32_t receive(Slab& slab, uint32_t cursor, uint32_t first, uint32_t frames, uint32_t bytes, bool budgeted) override;
  WriteReport write(const FrameList& list, uint32_t most) override;
  bool describe_for_forward(ForwardPort& port) override;
  void shut() override;

  Fd fd_;
  Framing framing_;
  FrameWriter writer_;
  FrameSplitter* splitter_ = nullptr;  // of ports that cut super-frames
  uint32_t abandoned_ = 0;             // frames that are lost and not told of yet
};

}  // namespace netloom
