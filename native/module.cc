#include <napi.h>

#include "bindings.h"
#include "environment.h"
#include "forwarding.h"
#include "frame_port_binding.h"
#include "slab.h"

namespace {

// initialize(makeSystemError): what native code needs of JavaScript.
void initialize(const Napi::CallbackInfo& info) {
  netloom::Environment::of(info.Env()).make_system_error = Napi::Persistent(info[0].As<Napi::Function>());
}

Napi::Object define(Napi::Env env, Napi::Object exports) {
  netloom::Environment* environment = netloom::Environment::create(env);
  exports.Set("initialize", Napi::Function::New(env, initialize, "initialize"));
  exports.Set("report", environment->show_report());
  exports.Set("Slab", netloom::Slab::define(env));
  exports.Set("Forward", netloom::Forwarding::define(env));
  exports.Set("FramePort", netloom::FramePort::define(env));
  netloom::Port::define(env, exports);
  netloom::define_descriptors(env, exports);
  netloom::define_tuntap(env, exports);
  netloom::define_netns(env, exports);
  netloom::define_netlink(env, exports);
  netloom::define_ethtool(env, exports);
  netloom::define_udp(env, exports);
  netloom::define_offload(env, exports);
  netloom::define_packets(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(netloom, define)
