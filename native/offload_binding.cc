#include <errno.h>
#include <string.h>

#include "arguments.h"
#include "bindings.h"
#include "environment.h"
#include "sys/segmentation.h"

namespace netloom {
namespace {

// cutFrames(bytes, offsets, lengths, count, headers or undefined, ethernet, headroom, tailroom, out, outLengths, outSources): writes
// the frames that `count` frames stand for to `out`, each with its room before and after it, their lengths, and of which
// frame each is; without `out` only looks. Returns how many they are, or -1 - i for a frame that contradicts its header; reports their bytes
// without room, low half first.
Napi::Value cut_frames(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto bad = [&] { return throw_bad_call(env, "cutFrames(bytes, offsets, lengths, …)"), env.Undefined(); };
  Bytes data = bytes_of(env, info[0]), offsets = bytes_of(env, info[1]), lengths = bytes_of(env, info[2]);
  Bytes headers, out, out_lengths, out_sources;
  const uint32_t count = uint_of(info, 3);
  if (!info[4].IsUndefined() && !(headers = bytes_of(env, info[4])).ok) return bad();
  const bool ethernet = bool_of(info, 5), writes = !info[8].IsUndefined();
  const size_t headroom = uint_of(info, 6), tailroom = uint_of(info, 7);
  if (writes && (!(out = bytes_of(env, info[8])).ok || !(out_lengths = bytes_of(env, info[9])).ok ||
                 !(out_sources = bytes_of(env, info[10])).ok))
    return bad();
  if (!data.ok || !offsets.ok || !lengths.ok || offsets.length / 4 < count || lengths.length / 4 < count ||
      (headers.ok && headers.length / sizeof(VnetHeader) < count))
    return bad();

  uint32_t frames = 0;
  uint64_t bytes = 0;
  size_t cursor = 0;
  // Where the next frame goes; null: there is no room for it.
  auto place = [&](size_t length, uint32_t source) -> uint8_t* {
    if (out.length - cursor < headroom + length + tailroom || out_lengths.length / 4 <= frames ||
        out_sources.length / 4 <= frames)
      return nullptr;
    memcpy(out_sources.data + 4 * size_t{frames}, &source, 4);
    const uint32_t entry = static_cast<uint32_t>(length);
    memcpy(out_lengths.data + 4 * size_t{frames}, &entry, 4);
    uint8_t* to = out.data + cursor + headroom;
    cursor += headroom + length + tailroom;
    return to;
  };
  for (uint32_t i = 0; i < count; i++) {
    uint32_t offset, length;
    memcpy(&offset, offsets.data + 4 * size_t{i}, 4);
    memcpy(&length, lengths.data + 4 * size_t{i}, 4);
    if (offset > data.length || length > data.length - offset) return bad();
    const uint8_t* frame = data.data + offset;
    const Napi::Value wrong = Napi::Number::New(env, -1.0 - i);
    VnetHeader header = {};
    if (headers.ok) memcpy(&header, headers.data + sizeof header * i, sizeof header);
    if (header.gso_type == kGsoNone) {
      if (writes) {
        uint8_t* to = place(length, i);
        if (!to) return bad();
        memcpy(to, frame, length);
        if (complete_checksum(to, length, header) != 0) return wrong;
      }
      frames++;
      bytes += length;
      continue;
    }
    SegmentPlan plan;
    if (plan_segments(frame, length, header, ethernet, plan) != 0) return wrong;
    for (uint32_t k = 0; k < plan.segments; k++) {
      const uint32_t size = segment_length(plan, k);
      if (writes) {
        uint8_t* to = place(size, i);
        if (!to) return bad();
        write_segment(plan, k, to);
      }
      frames++;
      bytes += size;
    }
  }
  int32_t* report = Environment::of(env).report;
  report[0] = static_cast<int32_t>(bytes);
  report[1] = static_cast<int32_t>(bytes >> 32);
  return Napi::Number::New(env, frames);
}

}  // namespace

void define_offload(Napi::Env env, Napi::Object exports) {
  exports.Set("cutFrames", Napi::Function::New(env, cut_frames, "cutFrames"));
}

}  // namespace netloom
