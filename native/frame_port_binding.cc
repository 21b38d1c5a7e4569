#include "frame_port_binding.h"

#include "arguments.h"
#include "port_report.h"
#include "slab.h"
#include "throw_errno.h"

namespace netloom {
namespace {

// Most bytes before or after a frame.
constexpr uint32_t kMaxRoom = 4096;

}  // namespace

Napi::Function FramePort::define(Napi::Env env) {
  return DefineClass(env, "FramePort",
                     {InstanceMethod<&FramePort::set_framing>("setFraming"),
                      InstanceMethod<&FramePort::descriptor>("descriptor"), InstanceMethod<&FramePort::close>("close"),
                      StaticValue("maxFrame", Napi::Number::New(env, kMaxFrame))});
}

FramePort::FramePort(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<FramePort>(info), Port(Environment::of(info.Env())) {
  if (IsEmpty()) return;  // the worker is being terminated
  Napi::Env env = info.Env();
  int fd = int_of(info, 0, -1);
  if (fd < 0 || !read_framing(info[1]) || !info[2].IsFunction()) {
    throw_bad_call(env, "FramePort(fd, framing, onReady)");
    return;
  }
  if (!start(info.This().As<Napi::Object>(), fd, info[2].As<Napi::Function>())) return;
  fd_.reset(fd);
  environment_.disown(fd);
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
  framing.refused = static_cast<uint8_t>(number("refused"));
  framing.headroom = number("headroom");
  framing.tailroom = number("tailroom");
  if (vnet_header > sizeof(VnetHeader) || framing.headroom > kMaxRoom || framing.tailroom > kMaxRoom) return false;
  framing_ = framing;
  if (flag("split") && !splitter_) splitter_ = new FrameSplitter();
  return true;
}

void FramePort::shut() {
  end_forward();
  stop();
  fd_.reset();
  delete splitter_;
  splitter_ = nullptr;
}

int32_t FramePort::receive(Slab& slab, uint32_t cursor, uint32_t first, uint32_t frames, uint32_t bytes,
                           bool budgeted) {
  int32_t* report = environment_.report;
  report[kCut] = 0;
  if (!fd_) return report[kError] = EBADF, 0;
  if (forwarded()) return report[kError] = EAGAIN, 0;
  // A super-frame that was begun is brought to its end: nothing would tell the loop of the rest.
  const bool pending = splitter_ && splitter_->pending();
  const bool spent = budgeted && turn_.spent(environment_.loop());
  if (spent && !pending) return kBudgetSpent;
  FrameRoom room = {slab.data(), Slab::kBytes, cursor, slab.offsets(), slab.lengths(), slab.headers(), first};
  ReadReport done = splitter_ ? splitter_->read(fd_.get(), framing_, room, frames, bytes, spent)
                              : read_frames(fd_.get(), framing_, room, frames, bytes);
  if (done.no_room) return kNoRoom;
  turn_.add(done.frames);
  report[kCursor] = static_cast<int32_t>(room.cursor);
  report[kError] = done.error;
  report[kTaken] = static_cast<int32_t>(done.bytes);
  report[kCut] = static_cast<int32_t>(done.cut + abandoned_);
  abandoned_ = 0;
  return static_cast<int32_t>(done.frames);
}

WriteReport FramePort::write(const FrameList& list, uint32_t most) {
  WriteReport done = writer_.write(fd_.get(), framing_, list, most, environment_.writing_memory());
  framing_.refused |= done.refused;
  return done;
}

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
