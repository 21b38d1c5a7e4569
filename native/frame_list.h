#pragma once
#include <napi.h>

#include "sys/frame_io.h"

namespace netloom {

// Frames to send, from the arguments of a port's send…(): valid until JavaScript runs again. False: they are none, and an
// exception is pending, or the worker is being terminated.

// sendSlab(slab, first, count, from, withHeaders, …)
bool read_slab_frames(const Napi::CallbackInfo& info, FrameList& list);

// sendBytes(bytes, offsets, lengths, count, from, headers or undefined, …)
bool read_byte_frames(const Napi::CallbackInfo& info, FrameList& list);

// sendFrame(bytes, …): one frame without columns, of which these are the memory.
struct SingleFrame {
  uint32_t offset = 0, length = 0;
};
// False without an exception: not the bytes of an ArrayBuffer.
bool read_single_frame(const Napi::CallbackInfo& info, SingleFrame& columns, FrameList& list);

}  // namespace netloom
