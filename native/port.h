#pragma once
#include <napi.h>

#include <memory>

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
class Port : protected LoopResource {
 public:
  // `ports`: the calls that all ports have.
  static void define(Napi::Env env, Napi::Object exports);

  bool forwarded() const { return forwarding_ != nullptr; }

 protected:
  explicit Port(Environment& environment);
  ~Port();

  uint32_t number() const { return number_; }
  // Polls the descriptor, and tells onReady(status, events, count) of it: 0 or an error number.
  int start(int fd, Napi::Function on_ready);
  void stop();
  // Closes everything; called once more at the end.
  virtual void shut() = 0;

  virtual bool open() const = 0;
  // Frames read into the slab, budgetSpent, or noRoom. Reports the new cursor, the errno that ended it (EAGAIN: drained),
  // the frames too long to take, and those that the kernel dropped.
  virtual int32_t receive(Slab& slab, uint32_t cursor, uint32_t first, uint32_t frames, uint32_t bytes, bool budgeted) = 0;
  virtual WriteReport write(const FrameList& list, uint32_t most) = 0;
  // What is to be done before JavaScript is told of it: frames that were read, as of receive(), or nothingRead.
  virtual int32_t on_readiness(int& status, int events) = 0;

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

  std::shared_ptr<Numbered<Port>> ports_;
  const uint32_t number_;
  Napi::FunctionReference on_ready_;
  bool attached_ = false;
  Forwarding* forwarding_ = nullptr;
};

}  // namespace netloom
