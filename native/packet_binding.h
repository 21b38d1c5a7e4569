#pragma once
#include "environment.h"
#include "forwarded_port.h"
#include "loop_poll.h"
#include "recording.h"
#include "sys/packet_socket.h"
#include "sys/packet_ring.h"
#include "turn_budget.h"

namespace netloom {

// A packet socket with its ring, on the loop of its environment. To JavaScript it is what FramePort is, and more:
// receive() fills the columns of captures too.
//
// new PacketPort(ring of openPacketRing, interface, onReady(status, events), onClosed()) owns the ring.
class PacketPort final : public Napi::ObjectWrap<PacketPort>, public ForwardedPort, private LoopResource {
 public:
  static const napi_type_tag kTag;
  static Napi::Function define(Napi::Env env);
  explicit PacketPort(const Napi::CallbackInfo& info);
  ~PacketPort();

 private:
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value send_slab(const Napi::CallbackInfo& info);
  Napi::Value send_bytes(const Napi::CallbackInfo& info);
  Napi::Value send_frame(const Napi::CallbackInfo& info);
  Napi::Value send(const FrameList& list, bool budgeted);
  void watch(const Napi::CallbackInfo& info);
  void renew(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  Napi::Value descriptor(const Napi::CallbackInfo& info);
  Napi::Value attach_filter(const Napi::CallbackInfo& info);
  void tell_vlan(const Napi::CallbackInfo& info);
  Napi::Value counters(const Napi::CallbackInfo& info);
  Napi::Value block_frames(const Napi::CallbackInfo& info);
  Napi::Value lend_block(const Napi::CallbackInfo& info);
  Napi::Value show_block(const Napi::CallbackInfo& info);
  Napi::Value newest_is_lent(const Napi::CallbackInfo& info);
  Napi::Value give_back(const Napi::CallbackInfo& info);
  Napi::Value is_gone(const Napi::CallbackInfo& info);
  Napi::Value record(const Napi::CallbackInfo& info);
  void stop_recording(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  bool describe_for_forward(ForwardPort& port) override;
  void set_quiet(bool on) override { poll_.set_quiet(on); }
  void close_for_exit() override;
  // Leaves the ring, which is returned, to be closed.
  PacketRing* detach();
  void count();
  bool open() const { return ring_ != nullptr; }
  // Another thread reads the ring.
  bool busy() const { return recording_.running() || forwarded(); }

  Environment& environment_;
  PacketRing* ring_ = nullptr;
  int32_t interface_ = 0;
  LoopPoll poll_;
  PacketWriter writer_;
  Recording recording_;
  Napi::FunctionReference on_ready_, on_closed_, on_recorded_;
  bool attached_ = false;
  TurnBudget turn_;
  uint32_t abandoned_ = 0;    // frames that are lost and not told of yet
  uint64_t counted_[4] = {};  // as they were at the end
};

}  // namespace netloom
