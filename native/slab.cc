#include "slab.h"

#include <stdlib.h>
#include <uv.h>

#include "arguments.h"
#include "environment.h"

namespace netloom {
namespace {

constexpr int kCached = 16;
uv_once_t once = UV_ONCE_INIT;
uv_mutex_t mutex;
SharedMemory* cache = nullptr;
int cached = 0;

void lock() {
  uv_once(&once, [] { uv_mutex_init(&mutex); });
  uv_mutex_lock(&mutex);
}

}  // namespace

SharedMemory* SharedMemory::allocate(size_t bytes) {
  SharedMemory* memory = nullptr;
  if (bytes == Slab::kBytes) {
    lock();
    if ((memory = cache)) {
      cache = memory->next;
      cached--;
    }
    uv_mutex_unlock(&mutex);
  }
  // Zeroed when new; from the cache it holds old frames of this process.
  if (!memory) memory = static_cast<SharedMemory*>(calloc(1, 64 + bytes));
  if (!memory) abort();
  memory->bytes = bytes;
  memory->references = 1;
  return memory;
}

void SharedMemory::drop() {
  if (--references > 0) return;
  if (bytes == Slab::kBytes) {
    lock();
    bool keep = cached < kCached;
    if (keep) {
      next = cache;
      cache = this;
      cached++;
    }
    uv_mutex_unlock(&mutex);
    if (keep) return;
  }
  free(this);
}

napi_value SharedMemory::show(napi_env env) {
  napi_value buffer = nullptr;
  references++;
  napi_status status = napi_create_external_arraybuffer(
      env, data(), bytes, [](napi_env, void*, void* hint) { static_cast<SharedMemory*>(hint)->drop(); }, this, &buffer);
  if (status != napi_ok) {
    references--;
    napi_throw_error(env, "ERR_UNSUPPORTED", "this runtime allows no external ArrayBuffer");
    return nullptr;
  }
  return buffer;
}

Napi::Function Slab::define(Napi::Env env) {
  return DefineClass(env, "Slab",
                     {InstanceMethod<&Slab::columns>("columns"), InstanceMethod<&Slab::expose>("expose"),
                      InstanceMethod<&Slab::hide>("hide"), StaticValue("bytes", Napi::Number::New(env, kBytes)),
                      StaticValue("frames", Napi::Number::New(env, kFrames)),
                      StaticValue("headerBytes", Napi::Number::New(env, kHeaderBytes))});
}

Slab::Slab(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Slab>(info),
      memory_(SharedMemory::allocate(kBytes)),
      columns_(SharedMemory::allocate(kFrames * (8 + kHeaderBytes + 24))),
      slabs_(Environment::of(info.Env()).slabs),
      number_(slabs_->add(*this)) {
  if (!IsEmpty()) info.This().As<Napi::Object>().Set("number", Napi::Number::New(info.Env(), number_));
}

Slab::~Slab() {
  slabs_->remove(number_);
  memory_->drop();
  columns_->drop();
}

Napi::Value Slab::columns(const Napi::CallbackInfo& info) { return {info.Env(), columns_->show(info.Env())}; }

Napi::Value Slab::expose(const Napi::CallbackInfo& info) { return {info.Env(), memory_->show(info.Env())}; }

void Slab::hide(const Napi::CallbackInfo& info) {
  napi_env env = info.Env();
  bool detached = false;
  if (napi_is_detached_arraybuffer(env, info[0], &detached) != napi_ok) return throw_bad_call(env, "buffer");
  if (!detached && napi_detach_arraybuffer(env, info[0]) == napi_ok) return;
  // Somebody moved the bytes elsewhere (ArrayBuffer.prototype.transfer): they keep that memory, we take other.
  memory_->drop();
  memory_ = SharedMemory::allocate(kBytes);
}

}  // namespace netloom
