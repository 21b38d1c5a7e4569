#include "frame_list.h"

#include "arguments.h"
#include "slab.h"

namespace netloom {

bool read_slab_frames(const Napi::CallbackInfo& info, FrameList& list) {
  Slab* slab = Slab::Unwrap(info[0].As<Napi::Object>());
  if (!slab) return false;
  const uint32_t first = uint_of(info, 1), count = uint_of(info, 2), from = uint_of(info, 3);
  if (first > Slab::kFrames || count > Slab::kFrames - first || from > count)
    return throw_bad_call(info.Env(), "sendSlab(slab, first, count, from)"), false;
  list = {slab->data(), Slab::kBytes, slab->offsets() + first, slab->lengths() + first,
          bool_of(info, 4) ? slab->headers() + first : nullptr, from, count};
  return true;
}

bool read_byte_frames(const Napi::CallbackInfo& info, FrameList& list) {
  Napi::Env env = info.Env();
  const Bytes data = bytes_of(env, info[0]), offsets = bytes_of(env, info[1]), lengths = bytes_of(env, info[2]);
  const uint32_t count = uint_of(info, 3), from = uint_of(info, 4);
  Bytes headers;
  if (!info[5].IsUndefined()) headers = bytes_of(env, info[5]);
  const bool fits = data.ok && offsets.ok && lengths.ok && offsets.length / 4 >= count && lengths.length / 4 >= count &&
                    from <= count;
  const bool headed = !headers.ok || (headers.length / sizeof(VnetHeader) >= count &&
                                      reinterpret_cast<uintptr_t>(headers.data) % alignof(VnetHeader) == 0);
  if (!fits || !headed)
    return throw_bad_call(env, "sendBytes(bytes, offsets, lengths, count, from, headers)"), false;
  list = {data.data, data.length, reinterpret_cast<uint32_t*>(offsets.data), reinterpret_cast<uint32_t*>(lengths.data),
          headers.ok ? reinterpret_cast<VnetHeader*>(headers.data) : nullptr, from, count};
  return true;
}

bool read_single_frame(const Napi::CallbackInfo& info, SingleFrame& columns, FrameList& list) {
  const Bytes data = bytes_of(info.Env(), info[0]);
  if (!data.ok || data.length > UINT32_MAX) return false;
  columns.length = static_cast<uint32_t>(data.length);
  list = {data.data, data.length, &columns.offset, &columns.length, nullptr, 0, 1};
  return true;
}

}  // namespace netloom
