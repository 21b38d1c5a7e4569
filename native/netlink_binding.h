#pragma once
#include "environment.h"
#include "loop_poll.h"
#include "sys/fd.h"

namespace netloom {

// A netlink socket on the loop of its environment. It holds no memory and no policy: messages are made, matched and
// read in TypeScript.
//
// new NetlinkSocket(namespace or -1, protocol, groups, receiveBuffer, onReady(status))
class NetlinkSocket final : public Napi::ObjectWrap<NetlinkSocket>, private LoopResource {
 public:
  static Napi::Function define(Napi::Env env);
  explicit NetlinkSocket(const Napi::CallbackInfo& info);
  ~NetlinkSocket();

 private:
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value wait(const Napi::CallbackInfo& info);
  void set_membership(const Napi::CallbackInfo& info);
  Napi::Value set_receive_buffer(const Napi::CallbackInfo& info);
  void watch(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  void close_for_exit() override;
  void shut();

  Environment& environment_;
  Fd fd_;
  LoopPoll poll_;
  Napi::FunctionReference on_ready_;
  bool attached_ = false;
};

}  // namespace netloom
