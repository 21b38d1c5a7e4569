#pragma once
#include <napi.h>

#include "environment.h"
#include "loop_poll.h"
#include "sys/forward.h"
#include "sys/frame_io.h"
#include "turn_budget.h"

namespace netloom {

class Forwarding;

// Something that carries frames, on the loop of its environment: what FramePort and PacketPort have in common. Holds no
// frame memory and no policy: each call is one crossing for a batch, into or out of memory that the caller names.
// JavaScript names ports and slabs by number; it has the objects, too, which keep them.
//
// For a reader that waits, frames are read before JavaScript is told: `wanted` of the object is how many frames and
// bytes, 0 for none, and `report` has where they go. That saves a call for each wake-up.
class Port : protected LoopResource {
 public:
  // `ports`: the calls that all ports have.
  static void define(Napi::Env env, Napi::Object exports);

  bool forwarded() const { return forwarding_ != nullptr; }

 protected:
  explicit Port(Environment& environment);
  ~Port();

  // Gives the object `number` and `wanted`, polls the descriptor, and tells onReady(status, events, count) of it; `count` is
  // of what was read, as of receive(), or nothingRead. False, with an exception, if it can't.
  bool start(Napi::Object object, int fd, Napi::Function on_ready);
  // The same in reverse; nothing the second time.
  void stop();
  // Closes everything; called once more at the end.
  virtual void shut() = 0;

  virtual bool open() const = 0;
  // Frames read into the slab, budgetSpent, or noRoom. Reports the new cursor, the errno that ended it (EAGAIN: drained),
  // the frames too long to take, those that the kernel dropped, and the bytes of what was read.
  virtual int32_t receive(Slab& slab, uint32_t cursor, uint32_t first, uint32_t frames, uint32_t bytes, bool budgeted) = 0;
  virtual WriteReport write(const FrameList& list, uint32_t most) = 0;
  // Why the descriptor is in trouble, where libuv's status does not say it.
  virtual int status_of(int status) { return status; }

  // False for a port that is closed, or read by something else.
  virtual bool describe_for_forward(ForwardPort& port) = 0;
  // Called before the descriptor is closed or handed over: ends the forward. Afterwards no thread but this one touches it.
  void end_forward();

  Environment& environment_;
  LoopPoll poll_;
  TurnBudget turn_;

 private:
  friend class Forwarding;
  friend class PortCall;
  void close_for_exit() override;
  int32_t read_ahead();

  Numbered<Port>* const ports_;
  const uint32_t number_;
  SharedMemory* const wanted_;
  Napi::FunctionReference on_ready_;
  bool attached_ = false;
  int polled_ = -1;
  Forwarding* forwarding_ = nullptr;
};

}  // namespace netloom
