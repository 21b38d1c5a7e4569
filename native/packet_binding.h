#pragma once
#include "port.h"
#include "recording.h"
#include "sys/packet_socket.h"
#include "sys/packet_ring.h"

namespace netloom {

// A packet socket with its ring; receive() fills the columns of captures too.
//
// new PacketPort(ring of openPacketRing, interface, onReady(status, events, count), onClosed()) owns the ring.
class PacketPort final : public Napi::ObjectWrap<PacketPort>, public Port {
 public:
  static Napi::Function define(Napi::Env env);
  explicit PacketPort(const Napi::CallbackInfo& info);
  ~PacketPort();

 private:
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

  bool open() const override { return ring_ != nullptr; }
  int32_t receive(Slab& slab, uint32_t cursor, uint32_t first, uint32_t frames, uint32_t bytes, bool budgeted) override;
  WriteReport write(const FrameList& list, uint32_t most) override;
  int status_of(int status) override;
  bool describe_for_forward(ForwardPort& port) override;
  void shut() override { delete detach(); }
  // Leaves the ring, which is returned, to be closed.
  PacketRing* detach();
  void count();
  // Another thread reads the ring.
  bool busy() const { return recording_.running() || forwarded(); }

  PacketRing* ring_ = nullptr;
  int32_t interface_ = 0;
  PacketWriter writer_;
  uint8_t refused_ = 0;  // as in Framing
  Recording recording_;
  Napi::FunctionReference on_closed_, on_recorded_;
  uint32_t abandoned_ = 0;    // frames that are lost and not told of yet
  uint64_t counted_[4] = {};  // as they were at the end
};

}  // namespace netloom
