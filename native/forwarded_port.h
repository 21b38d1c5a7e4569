#pragma once
#include <napi.h>

#include "sys/forward.h"

namespace netloom {

class Forwarding;

// A native port, as forwards see it.
class ForwardedPort {
 public:
  bool forwarded() const { return forwarding_ != nullptr; }

 protected:
  ~ForwardedPort() = default;
  // False for a port that is closed, or read by something else.
  virtual bool describe_for_forward(ForwardPort& port) = 0;
  // A forward waits for the descriptor, or does no longer.
  virtual void set_quiet(bool on) = 0;
  // Called before the descriptor is closed or handed over: ends the forward. Afterwards no thread but this one touches it.
  void end_forward();

 private:
  friend class Forwarding;
  Forwarding* forwarding_ = nullptr;
};

// The port behind an object of JavaScript's; null for anything else.
ForwardedPort* forwarded_port_of(napi_env env, napi_value value);

}  // namespace netloom
