#include "packet_binding.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "bindings.h"
#include "packet_opening.h"
#include "port_report.h"
#include "slab.h"
#include "sys/packet_socket.h"
#include "throw_errno.h"

namespace netloom {

Napi::Function PacketPort::define(Napi::Env env) {
  return DefineClass(
      env, "PacketPort",
      {InstanceMethod<&PacketPort::descriptor>("descriptor"),
       InstanceMethod<&PacketPort::attach_filter>("attachFilter"), InstanceMethod<&PacketPort::counters>("counters"),
       InstanceMethod<&PacketPort::tell_vlan>("tellVlan"),
       InstanceMethod<&PacketPort::block_frames>("blockFrames"), InstanceMethod<&PacketPort::lend_block>("lendBlock"),
       InstanceMethod<&PacketPort::show_block>("showBlock"), InstanceMethod<&PacketPort::give_back>("giveBack"),
       InstanceMethod<&PacketPort::newest_is_lent>("newestIsLent"),
       InstanceMethod<&PacketPort::is_gone>("isGone"), InstanceMethod<&PacketPort::record>("record"),
       InstanceMethod<&PacketPort::stop_recording>("stopRecording"), InstanceMethod<&PacketPort::close>("close")});
}

PacketPort::PacketPort(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PacketPort>(info), Port(Environment::of(info.Env())) {
  if (IsEmpty()) return;  // the worker is being terminated
  Napi::Env env = info.Env();
  if (!info[2].IsFunction() || !info[3].IsFunction() || !(ring_ = claim_packet_ring(env, info[0]))) {
    throw_bad_call(env, "PacketPort(ring, interface, onReady, onClosed)");
    return;
  }
  interface_ = int_of(info, 1, 0);
  if (!start(info.This().As<Napi::Object>(), ring_->fd(), info[2].As<Napi::Function>())) {
    delete ring_;
    ring_ = nullptr;
    return;
  }
  on_closed_ = Napi::Persistent(info[3].As<Napi::Function>());
  Ref();  // an open port is not collected
}

PacketPort::~PacketPort() { shut(); }

bool PacketPort::describe_for_forward(ForwardPort& port) {
  if (!open() || recording_.running() || ring_->layout().cooked) return false;
  abandoned_ += ring_->abandon_segments();
  port.fd = ring_->fd();
  port.ring = ring_;
  port.interface = interface_;
  port.framing.refused = refused_;
  return true;
}

PacketRing* PacketPort::detach() {
  recording_.end();
  end_forward();
  stop();
  on_closed_.Reset();
  on_recorded_.Reset();
  PacketRing* ring = ring_;
  if (ring) count();
  ring_ = nullptr;
  return ring;
}

void PacketPort::count() {
  ring_->count();
  const PacketCounters& counters = ring_->counters();
  counted_[0] = counters.received;
  counted_[1] = counters.dropped;
  counted_[2] = counters.freezes;
  counted_[3] = busy() ? 0 : ring_->consumed();
}

int32_t PacketPort::receive(Slab& slab, uint32_t cursor, uint32_t first, uint32_t frames, uint32_t bytes,
                            bool budgeted) {
  int32_t* report = environment_.report;
  report[kCut] = report[kLost] = 0;
  if (!open()) return report[kError] = EBADF, 0;
  if (busy()) return report[kError] = EAGAIN, 0;
  if (budgeted && turn_.spent(environment_.loop())) return kBudgetSpent;
  PacketRoom room = {{slab.data(), Slab::kBytes, cursor, slab.offsets(), slab.lengths(), slab.headers(), first},
                     slab.times(), slab.originals(), slab.flags(), slab.vlans(), slab.interfaces()};
  PacketReport done = ring_->read(room, frames, bytes);
  turn_.add(done.frames);
  report[kTaken] = static_cast<int32_t>(room.frames.cursor - cursor);
  abandoned_ += done.cut;
  if (!done.no_room) {
    report[kCut] = static_cast<int32_t>(abandoned_);
    abandoned_ = 0;
  }
  report[kCursor] = static_cast<int32_t>(room.frames.cursor);
  report[kError] = done.error;
  report[kLost] = static_cast<int32_t>(done.dropped > INT32_MAX ? INT32_MAX : done.dropped);
  return done.no_room ? kNoRoom : static_cast<int32_t>(done.frames);
}

WriteReport PacketPort::write(const FrameList& list, uint32_t most) {
  const PacketLayout& layout = ring_->layout();
  WriteReport done = writer_.write(ring_->fd(), {layout.ip, layout.vnet_header, interface_, refused_}, list, most,
                                   environment_.writing_memory());
  refused_ |= done.refused;
  return done;
}

// libuv says only that there is an error. EAGAIN: somebody took it already.
int PacketPort::status_of(int) {
  const int pending = take_packet_error(ring_->fd());
  return -(pending != 0 ? pending : EAGAIN);
}

Napi::Value PacketPort::descriptor(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), open() ? ring_->fd() : -1);
}

// attachFilter(program): 0 or an error number
Napi::Value PacketPort::attach_filter(const Napi::CallbackInfo& info) {
  Bytes program = bytes_of(info.Env(), info[0]);
  if (!program.ok || program.length % 8 != 0 || program.length / 8 > UINT16_MAX)
    return throw_bad_call(info.Env(), "attachFilter(program)"), info.Env().Undefined();
  if (!open()) return Napi::Number::New(info.Env(), EBADF);
  Failure failure = attach_packet_filter(ring_->fd(), program.data, static_cast<uint16_t>(program.length / 8));
  return Napi::Number::New(info.Env(), failure.error);
}

// tellVlan(on): the column of tags has also those that are put back into the frames
void PacketPort::tell_vlan(const Napi::CallbackInfo& info) {
  if (open()) ring_->tell_vlan(bool_of(info, 0));
}

// counters(values): received, dropped, freezes and consumed frames as 64-bit integers
Napi::Value PacketPort::counters(const Napi::CallbackInfo& info) {
  Bytes values = bytes_of(info.Env(), info[0]);
  if (!values.ok || values.length < 4 * sizeof(uint64_t))
    return throw_bad_call(info.Env(), "counters(values)"), info.Env().Undefined();
  if (open()) count();
  memcpy(values.data, counted_, sizeof counted_);
  return info.Env().Undefined();
}

// blockFrames(budgeted): frames of the block that comes next, 0 = there is none, or budgetSpent. Reports what was lost.
Napi::Value PacketPort::block_frames(const Napi::CallbackInfo& info) {
  environment_.report[kLost] = 0;
  if (!open() || busy()) return Napi::Number::New(info.Env(), 0);
  if (bool_of(info, 0) && turn_.spent(environment_.loop())) return Napi::Number::New(info.Env(), kBudgetSpent);
  uint32_t frames = ring_->block_frames();
  uint64_t dropped = ring_->take_dropped();
  environment_.report[kLost] = static_cast<int32_t>(dropped > INT32_MAX ? INT32_MAX : dropped);
  return Napi::Number::New(info.Env(), frames);
}

// lendBlock(columns): its number, or -1. Columns of blockFrames() entries: offsets, lengths, original lengths, flags,
// tags, interfaces of 32 bits, times of 64.
Napi::Value PacketPort::lend_block(const Napi::CallbackInfo& info) {
  Bytes columns = bytes_of(info.Env(), info[0]);
  uint32_t frames = open() && !busy() ? ring_->block_frames() : 0;
  if (!columns.ok || columns.length < size_t{32} * frames || reinterpret_cast<uintptr_t>(columns.data) % 8 != 0)
    return throw_bad_call(info.Env(), "lendBlock(columns)"), info.Env().Undefined();
  if (frames == 0) return Napi::Number::New(info.Env(), -1);
  auto* words = reinterpret_cast<uint32_t*>(columns.data);
  PacketRoom room = {{nullptr, 0, 0, words, words + frames, nullptr, 0},
                     reinterpret_cast<int64_t*>(words + 6 * frames), words + 2 * frames, words + 3 * frames,
                     words + 4 * frames, words + 5 * frames};
  LentBlock block = ring_->lend(room);
  turn_.add(block.frames);
  return Napi::Number::New(info.Env(), block.index);
}

// showBlock(number): an ArrayBuffer over a block that is lent. The mapping lives as long as it.
Napi::Value PacketPort::show_block(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  LentBlock block;
  if (!open() || !ring_->is_lent(uint_of(info, 0, UINT32_MAX), block))
    return throw_bad_call(env, "showBlock(number)"), env.Undefined();
  RingMemory* memory = ring_->memory();
  memory->hold();
  napi_value buffer = nullptr;
  auto release = [](napi_env, void*, void* hint) { static_cast<RingMemory*>(hint)->drop(); };
  if (napi_create_external_arraybuffer(env, block.data, block.bytes, release, memory, &buffer) != napi_ok) {
    memory->drop();
    napi_throw_error(env, "ERR_UNSUPPORTED", "this runtime allows no external ArrayBuffer");
    return env.Undefined();
  }
  return {env, buffer};
}

// giveBack(number, buffer or undefined): detaches what showBlock() gave. False for a block whose bytes were moved
// elsewhere (ArrayBuffer.prototype.transfer): it stays with whoever has them, and is lost to the ring.
Napi::Value PacketPort::give_back(const Napi::CallbackInfo& info) {
  bool detached = false;
  if (!info[1].IsUndefined() && (napi_is_detached_arraybuffer(info.Env(), info[1], &detached) != napi_ok || detached ||
                                 napi_detach_arraybuffer(info.Env(), info[1]) != napi_ok))
    return Napi::Boolean::New(info.Env(), false);
  if (open()) ring_->give_back(uint_of(info, 0, UINT32_MAX));
  return Napi::Boolean::New(info.Env(), true);
}

// newestIsLent(): polling would return at once, over and over
Napi::Value PacketPort::newest_is_lent(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), open() && ring_->newest_is_lent());
}

// isGone(): the interface is deleted, or in another namespace
Napi::Value PacketPort::is_gone(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), open() && packet_interface_is_gone(ring_->fd()));
}

// record(fd, pcapng, head, skip, filter, maxPackets, maxBytes, maxMilliseconds, onEnd(reason, packets, bytes, dropped, errno, syscall)):
// bounds are numbers, 0 = none. The descriptor is duplicated.
Napi::Value PacketPort::record(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Bytes head = bytes_of(env, info[2]), filter = bytes_of(env, info[4]);
  for (size_t i : {3, 5, 6, 7})
    if (!info[i].IsNumber()) return throw_bad_call(env, "record"), env.Undefined();
  RecordOptions options;
  if (!head.ok || !filter.ok || !info[8].IsFunction() || !open() || busy() ||
      (filter.length > 0 && !options.filter.load(filter.data, filter.length)))
    return throw_bad_call(env, "record"), env.Undefined();
  Fd out(fcntl(int_of(info, 0, -1), F_DUPFD_CLOEXEC, 3));
  if (!out) return throw_failure(env, Failure::last("fcntl", "F_DUPFD_CLOEXEC")), env.Undefined();
  auto bound = [&](size_t i) {
    double value = info[i].As<Napi::Number>().DoubleValue();
    return value > 0 ? static_cast<uint64_t>(value) : 0;
  };
  options.pcapng = bool_of(info, 1);
  options.head.assign(reinterpret_cast<char*>(head.data), head.length);
  options.skip = bound(3);
  options.max_packets = bound(5);
  options.max_bytes = bound(6);
  options.max_ms = bound(7);
  abandoned_ += ring_->abandon_segments();
  on_recorded_ = Napi::Persistent(info[8].As<Napi::Function>());
  Failure failure = recording_.start(
      environment_, *ring_, static_cast<Fd&&>(out), std::move(options), this,
      [](void* owner, const RecordResult& result) {
        auto* self = static_cast<PacketPort*>(owner);
        napi_env env = self->environment_.env();
        Napi::HandleScope scope(env);
        Napi::FunctionReference callback = std::move(self->on_recorded_);
        napi_value values[6];
        napi_create_int32(env, result.reason, &values[0]);
        napi_create_double(env, static_cast<double>(result.packets), &values[1]);
        napi_create_double(env, static_cast<double>(result.bytes), &values[2]);
        napi_create_double(env, static_cast<double>(result.dropped), &values[3]);
        napi_create_int32(env, result.failure.error, &values[4]);
        napi_create_string_utf8(env, result.failure.syscall ? result.failure.syscall : "", NAPI_AUTO_LENGTH, &values[5]);
        self->environment_.call(callback, 6, values);
      });
  if (failure) {
    on_recorded_.Reset();
    throw_failure(env, failure);
  }
  return env.Undefined();
}

// stopRecording(atOnce)
void PacketPort::stop_recording(const Napi::CallbackInfo& info) { recording_.stop(bool_of(info, 0)); }

// close(): onClosed is called when it has happened. The kernel takes its time over a packet socket (synchronize_net, tens of milliseconds),
// so it is closed on one of libuv's threads.
Napi::Value PacketPort::close(const Napi::CallbackInfo& info) {
  if (!open()) return Napi::Number::New(info.Env(), -1);
  struct Closing {
    uv_work_t work;
    Environment* environment;
    PacketRing* ring;
    Napi::FunctionReference on_closed;
  };
  Napi::FunctionReference on_closed = std::move(on_closed_);
  auto* closing = new Closing{{}, &environment_, detach(), std::move(on_closed)};
  Unref();
  closing->work.data = closing;
  auto done = [](uv_work_t* work, int) {
    auto* closing = static_cast<Closing*>(work->data);
    Environment* environment = closing->environment;
    {
      Napi::HandleScope scope(environment->env());
      environment->call(closing->on_closed, 0, nullptr);
    }
    // Also where it was canceled, with its environment.
    delete closing->ring;
    delete closing;
    environment->closing_finished();
  };
  environment_.closing_started();
  int error = uv_queue_work(
      environment_.loop(), &closing->work,
      [](uv_work_t* work) {
        auto* closing = static_cast<Closing*>(work->data);
        delete closing->ring;
        closing->ring = nullptr;
      },
      done);
  if (error != 0) done(&closing->work, error);
  return Napi::Number::New(info.Env(), -1);
}

void define_packets(Napi::Env env, Napi::Object exports) {
  exports.Set("PacketPort", PacketPort::define(env));
  exports.Set("openPacketRing", Napi::Function::New(env, open_packet_ring, "openPacketRing"));
}

}  // namespace netloom
