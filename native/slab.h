#pragma once
#include <napi.h>
#include <stdint.h>

#include "sys/vnet_header.h"

namespace netloom {

template <typename T>
class Numbered;

// A counted piece of memory that native code and ArrayBuffers share. The last reference returns frame-sized
// pieces to a small process-wide cache, so that short-lived slabs do not fault their pages in anew.
struct SharedMemory {
  static SharedMemory* allocate(size_t bytes);
  // An ArrayBuffer over the memory, holding a reference of its own; empty with an exception pending if refused.
  napi_value show(napi_env env);
  void drop();

  size_t bytes;
  int references;
  SharedMemory* next;
  uint8_t* data() { return reinterpret_cast<uint8_t*>(this) + 64; }
};

// Frame memory with its columns, owned by one JavaScript object, whose `number` names it in calls. Policy (where to fill next, when to reuse)
// is TypeScript's. `expose()` makes an ArrayBuffer over the memory, `hide(buffer)` detaches it, so that stale
// views have length 0 and the memory can be filled again.
class Slab : public Napi::ObjectWrap<Slab> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit Slab(const Napi::CallbackInfo& info);
  ~Slab();

  uint8_t* data() const { return memory_->data(); }
  uint32_t* offsets() const { return reinterpret_cast<uint32_t*>(columns_->data()); }
  uint32_t* lengths() const { return offsets() + kFrames; }
  // One virtio-net header a frame, filled on ports that have one.
  VnetHeader* headers() const { return reinterpret_cast<VnetHeader*>(columns_->data() + 8 * kFrames); }
  // What captures know of a frame: its time in nanoseconds; original length, flags, VLAN tag and interface.
  int64_t* times() const { return reinterpret_cast<int64_t*>(headers() + kFrames); }
  uint32_t* originals() const { return reinterpret_cast<uint32_t*>(times() + kFrames); }
  uint32_t* flags() const { return originals() + kFrames; }
  uint32_t* vlans() const { return flags() + kFrames; }
  uint32_t* interfaces() const { return vlans() + kFrames; }
  // What is known of a datagram lies in the same columns, so that all of an entry is of one port: who sent it, the address
  // that it was sent to, its type of service, and the interface.
  uint32_t* senders() const { return originals(); }
  uint32_t* locals() const { return flags(); }
  uint32_t* services() const { return vlans(); }

  static constexpr size_t kBytes = 320 * 1024;
  static constexpr uint32_t kFrames = 2048;
  static constexpr size_t kHeaderBytes = sizeof(VnetHeader);

 private:
  Napi::Value columns(const Napi::CallbackInfo& info);
  Napi::Value expose(const Napi::CallbackInfo& info);
  void hide(const Napi::CallbackInfo& info);

  SharedMemory* memory_;
  SharedMemory* columns_;
  Numbered<Slab>* const slabs_;
  const uint32_t number_;
};

}  // namespace netloom
