#pragma once
#include "environment.h"
#include "loop_poll.h"
#include "sys/udp_socket.h"
#include "turn_budget.h"

namespace netloom {

// A UDP socket on the loop of its environment; see sys/udp_socket.h. Its datagrams are read into slabs, whose memory for
// headers holds endpoints, local addresses, interfaces and types of service here, a column each.
//
// new UdpPort(fd, ipv6, coalesce, segment, onReady(status, events)) owns `fd` on success.
class UdpPort final : public Napi::ObjectWrap<UdpPort>, private LoopResource {
 public:
  static Napi::Function define(Napi::Env env);
  explicit UdpPort(const Napi::CallbackInfo& info);
  ~UdpPort();

 private:
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value send_slab(const Napi::CallbackInfo& info);
  Napi::Value send_bytes(const Napi::CallbackInfo& info);
  Napi::Value send(DatagramList& list, const Napi::CallbackInfo& info, size_t argument);
  Napi::Value read_error(const Napi::CallbackInfo& info);
  Napi::Value intern(const Napi::CallbackInfo& info);
  Napi::Value endpoint(const Napi::CallbackInfo& info);
  Napi::Value local(const Napi::CallbackInfo& info);
  Napi::Value segments(const Napi::CallbackInfo& info);
  Napi::Value descriptor(const Napi::CallbackInfo& info);
  void watch(const Napi::CallbackInfo& info);
  void renew(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  void close_for_exit() override;
  void shut();

  Environment& environment_;
  UdpSocket socket_;
  LoopPoll poll_;
  Napi::FunctionReference on_ready_;
  TurnBudget turn_;
  bool attached_ = false;
};

}  // namespace netloom
