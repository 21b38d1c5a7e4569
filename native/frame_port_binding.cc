#include "frame_port_binding.h"

#include "arguments.h"
#include "frame_list.h"
#include "port_report.h"
#include "slab.h"
#include "throw_errno.h"

namespace netloom {
namespace {

// Most bytes before or after a frame.
constexpr uint32_t kMaxRoom = 4096;

}  // namespace

const napi_type_tag FramePort::kTag = {0x6e65746c6f6f6d00, 0x6672616d652d7074};

Napi::Function FramePort::define(Napi::Env env) {
  return DefineClass(
      env, "FramePort",
      {InstanceMethod<&FramePort::receive>("receive"), InstanceMethod<&FramePort::send_slab>("sendSlab"),
       InstanceMethod<&FramePort::send_bytes>("sendBytes"), InstanceMethod<&FramePort::send_frame>("sendFrame"),
       InstanceMethod<&FramePort::watch>("watch"), InstanceMethod<&FramePort::renew>("renew"),
       InstanceMethod<&FramePort::ref>("ref"), InstanceMethod<&FramePort::set_framing>("setFraming"),
       InstanceMethod<&FramePort::descriptor>("descriptor"), InstanceMethod<&FramePort::close>("close"),
       StaticValue("budgetSpent", Napi::Number::New(env, kBudgetSpent)),
       StaticValue("maxFrame", Napi::Number::New(env, kMaxFrame))});
}

FramePort::FramePort(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<FramePort>(info), environment_(Environment::of(info.Env())) {
  if (IsEmpty()) return;  // the worker is being terminated
  Napi::Env env = info.Env();
  napi_type_tag_object(env, info.This(), &kTag);
  int fd = int_of(info, 0, -1);
  if (fd < 0 || !read_framing(info[1]) || !info[2].IsFunction()) {
    throw_bad_call(env, "FramePort(fd, framing, onReady)");
    return;
  }
  int error = poll_.open(environment_, fd, this, [](void* owner, int status, int events) {
    auto* self = static_cast<FramePort*>(owner);
    self->turn_.renew();
    // The callback may close the port; nothing of `self` is touched after it.
    self->environment_.tell_ready(self->on_ready_, status, events);
  });
  if (error != 0) {
    throw_failure(env, {-error, "epoll_ctl", nullptr});
    return;
  }
  fd_.reset(fd);
  environment_.disown(fd);
  on_ready_ = Napi::Persistent(info[2].As<Napi::Function>());
  environment_.attach(*this);
  attached_ = true;
  Ref();  // an open port is not collected
}

FramePort::~FramePort() { shut(); }

bool FramePort::describe_for_forward(ForwardPort& port) {
  if (splitter_) abandoned_ += splitter_->abandon();
  port.fd = fd_.get();
  port.framing = framing_;
  port.framing.headroom = port.framing.tailroom = 0;
  return static_cast<bool>(fd_);
}

bool FramePort::read_framing(Napi::Value value) {
  if (!value.IsObject()) return false;
  Napi::Object object = value.As<Napi::Object>();
  auto number = [&](const char* name) {
    Napi::Value entry = object.Get(name);
    return entry.IsNumber() ? entry.As<Napi::Number>().Uint32Value() : 0;
  };
  auto flag = [&](const char* name) {
    Napi::Value entry = object.Get(name);
    return entry.IsBoolean() && entry.As<Napi::Boolean>().Value();
  };
  Framing framing;
  const uint32_t vnet_header = number("vnetHeaderSize");
  framing.max_frame = number("maxFrameLength");
  framing.packet_information = flag("packetInformation");
  framing.ethernet = flag("ethernet");
  framing.vnet_header = static_cast<uint8_t>(vnet_header);
  framing.swapped = flag("swapped");
  framing.join = static_cast<uint8_t>(number("join"));
  framing.join_adjacent = flag("bounded");
  framing.headroom = number("headroom");
  framing.tailroom = number("tailroom");
  if (vnet_header > sizeof(VnetHeader) || framing.headroom > kMaxRoom || framing.tailroom > kMaxRoom) return false;
  framing_ = framing;
  if (flag("split") && !splitter_) splitter_ = new FrameSplitter();
  return true;
}

void FramePort::close_for_exit() {
  attached_ = false;
  shut();
}

void FramePort::shut() {
  end_forward();
  if (attached_) environment_.detach(*this);
  attached_ = false;
  poll_.close();
  fd_.reset();
  on_ready_.Reset();
  delete splitter_;
  splitter_ = nullptr;
}

// receive(slab, cursor, first, maxFrames, maxBytes, budgeted): frames read, budgetSpent, or noRoom.
// Reports the new cursor, the errno that ended it (EAGAIN: drained) and the frames too long to take.
Napi::Value FramePort::receive(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int32_t* report = environment_.report;
  if (!fd_) return report[kError] = EBADF, report[kCut] = 0, Napi::Number::New(env, 0);
  if (forwarded()) return report[kError] = EAGAIN, report[kCut] = 0, Napi::Number::New(env, 0);
  // A super-frame that was begun is brought to its end: nothing would tell the loop of the rest.
  const bool pending = splitter_ && splitter_->pending();
  const bool spent = bool_of(info, 5) && turn_.spent(environment_.loop());
  if (spent && !pending) return Napi::Number::New(env, kBudgetSpent);
  Slab* slab = Slab::Unwrap(info[0].As<Napi::Object>());
  if (!slab) return {};  // not one, or the worker is being terminated
  uint32_t cursor = uint_of(info, 1), first = uint_of(info, 2), frames = uint_of(info, 3);
  if (cursor > Slab::kBytes || first > Slab::kFrames || frames > Slab::kFrames - first)
    return throw_bad_call(env, "receive(slab, cursor, first, maxFrames, maxBytes)"), env.Undefined();
  FrameRoom room = {slab->data(), Slab::kBytes, cursor, slab->offsets(), slab->lengths(), slab->headers(), first};
  ReadReport done = splitter_ ? splitter_->read(fd_.get(), framing_, room, frames, uint_of(info, 4), spent)
                              : read_frames(fd_.get(), framing_, room, frames, uint_of(info, 4));
  if (done.no_room) return Napi::Number::New(env, kNoRoom);
  turn_.add(done.frames);
  report[kCursor] = static_cast<int32_t>(room.cursor);
  report[kError] = done.error;
  report[kCut] = static_cast<int32_t>(done.cut + abandoned_);
  abandoned_ = 0;
  return Napi::Number::New(env, done.frames);
}

Napi::Value FramePort::send_slab(const Napi::CallbackInfo& info) {
  FrameList list;
  return read_slab_frames(info, list) ? send(list, bool_of(info, 5)) : Napi::Value();
}

Napi::Value FramePort::send_bytes(const Napi::CallbackInfo& info) {
  FrameList list;
  return read_byte_frames(info, list) ? send(list, bool_of(info, 6)) : Napi::Value();
}

// undefined: not the bytes of an ArrayBuffer
Napi::Value FramePort::send_frame(const Napi::CallbackInfo& info) {
  SingleFrame columns;
  FrameList list;
  return read_single_frame(info, columns, list) ? send(list, bool_of(info, 1)) : info.Env().Undefined();
}

// Returns the first frame not looked at, or budgetSpent; the rest is reported.
Napi::Value FramePort::send(const FrameList& list, bool budgeted) {
  Napi::Env env = Env();
  WriteReport done;
  if (!fd_) {
    done.next = list.from;
    done.error = EBADF;
  } else {
    if (budgeted && turn_.spent(environment_.loop())) return Napi::Number::New(env, kBudgetSpent);
    done = writer_.write(fd_.get(), framing_, list, budgeted ? 256 : UINT32_MAX, environment_.writing_memory());
    framing_.join &= static_cast<uint8_t>(~done.refused);
    turn_.add(done.next - list.from);
  }
  return tell(env, environment_.report, done);
}

// renew(): another turn of the loop has begun
void FramePort::renew(const Napi::CallbackInfo& info) { turn_.renew(); }

void FramePort::watch(const Napi::CallbackInfo& info) { poll_.watch(int_of(info, 0) & (UV_READABLE | UV_WRITABLE)); }

void FramePort::ref(const Napi::CallbackInfo& info) { poll_.ref(bool_of(info, 0)); }

// setFraming(framing)
void FramePort::set_framing(const Napi::CallbackInfo& info) {
  if (!read_framing(info[0])) throw_bad_call(info.Env(), "setFraming(framing)");
}

Napi::Value FramePort::descriptor(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), fd_.get()); }

Napi::Value FramePort::close(const Napi::CallbackInfo& info) {
  int fd = -1;
  if (fd_) {
    end_forward();
    poll_.close();
    if (bool_of(info, 0)) environment_.own(fd = fd_.release());
    shut();
    Unref();
  }
  return Napi::Number::New(info.Env(), fd);
}

}  // namespace netloom
