#include "packet_opening.h"

#include <fcntl.h>

#include <string>

#include "arguments.h"
#include "bindings.h"
#include "environment.h"
#include "sys/packet_socket.h"
#include "throw_errno.h"

namespace netloom {
namespace {

// Tells our externals from those of other addons.
constexpr napi_type_tag kRingTag = {0x6e65746c6f6f6d00, 0x7061636b65742d72};

struct Box {
  PacketRing* ring;
};

// One opening: made and answered on the JavaScript thread, run on one of libuv's.
struct Opening {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  Fd network;
  PacketOptions options = {};
  std::string filter, fallback, fanout_program, multicast;
  PacketLayout layout;
  PacketIdentity identity = {};
  PacketRing* ring = nullptr;
  Failure failure;

  ~Opening() { delete ring; }
};

const uint8_t* bytes(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

void execute(napi_env, void* data) {
  auto& opening = *static_cast<Opening*>(data);
  const PacketOptions& options = opening.options;
  Opened opened = open_on_thread(opening.network ? opening.network.get() : -1, open_packet_socket, &options);
  if ((opening.failure = opened.failure)) return;
  memcpy(&opening.identity, opened.payload, sizeof opening.identity);
  opening.ring = new PacketRing();
  opening.failure = opening.ring->map(Fd(opened.descriptors[0]),
                                      {options.low_latency, options.block_size, options.block_count, options.frame_size},
                                      opening.layout);
}

Napi::Value show(Napi::Env env, Opening& opening) {
  auto* box = new Box{opening.ring};
  opening.ring = nullptr;
  napi_value external;
  auto release = [](napi_env, void* data, void*) {
    auto* box = static_cast<Box*>(data);
    delete box->ring;
    delete box;
  };
  if (napi_create_external(env, box, release, nullptr, &external) != napi_ok) {
    release(env, box, nullptr);
    return {};
  }
  napi_type_tag_object(env, external, &kRingTag);
  Napi::Object object = Napi::Object::New(env);
  object.Set("ring", Napi::Value(env, external));
  object.Set("filterError", opening.identity.filter_error);
  object.Set("fanoutGroup", opening.identity.fanout_group);
  object.Set("down", opening.identity.down);
  return object;
}

void complete(napi_env raw, napi_status status, void* data) {
  Napi::Env env(raw);
  auto* opening = static_cast<Opening*>(data);
  napi_delete_async_work(env, opening->work);
  if (status == napi_ok && !Environment::of(env).exiting()) {
    if (opening->failure) {
      throw_failure(env, opening->failure);
      napi_value error;
      if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_reject_deferred(env, opening->deferred, error);
    } else {
      Napi::Value result = show(env, *opening);
      if (!result.IsEmpty()) napi_resolve_deferred(env, opening->deferred, result);
    }
  }
  delete opening;
}

}  // namespace

Napi::Value open_packet_ring(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto bad = [&] { return throw_bad_call(env, "openPacketRing"), env.Undefined(); };
  if (!info[1].IsObject()) return bad();
  auto* opening = new Opening();
  Napi::Object settings = info[1].As<Napi::Object>();
  auto number = [&](const char* key) -> uint32_t {
    Napi::Value value = settings.Get(key);
    return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
  };
  auto flag = [&](const char* key) {
    Napi::Value value = settings.Get(key);
    return value.IsBoolean() && value.As<Napi::Boolean>().Value();
  };
  auto take = [&](size_t index, std::string& to, size_t unit) {
    if (info[index].IsUndefined()) return true;
    Bytes given = bytes_of(env, info[index]);
    if (!given.ok || given.length % unit != 0 || given.length / unit > UINT16_MAX) return false;
    to.assign(reinterpret_cast<char*>(given.data), given.length);
    return true;
  };
  PacketOptions& options = opening->options;
  options.interface = static_cast<int32_t>(number("interface"));
  options.protocol = static_cast<uint16_t>(number("protocol"));
  options.cooked = flag("cooked");
  options.low_latency = flag("lowLatency");
  options.block_size = number("blockSize");
  options.block_count = number("blockCount");
  options.frame_size = number("frameSize");
  options.timeout_ms = number("timeoutMs");
  options.promiscuous = flag("promiscuous");
  options.all_multicast = flag("allMulticast");
  options.ignore_outgoing = flag("ignoreOutgoing");
  options.hardware_time = flag("hardwareTime");
  options.qdisc_bypass = flag("qdiscBypass");
  options.vnet_header = flag("vnetHeader");
  options.join_fanout = flag("joinFanout");
  options.fanout = number("fanout");
  Napi::Value descriptor = settings.Get("fanoutDescriptor");
  options.fanout_descriptor = descriptor.IsNumber() ? descriptor.As<Napi::Number>().Int32Value() : -1;
  if (!take(2, opening->filter, 8) || !take(3, opening->fallback, 8) || !take(4, opening->fanout_program, 8) ||
      !take(5, opening->multicast, 6) || options.frame_size == 0 || options.block_size < options.frame_size) {
    delete opening;
    return bad();
  }
  options.filter = bytes(opening->filter);
  options.filter_instructions = static_cast<uint16_t>(opening->filter.size() / 8);
  options.fallback = bytes(opening->fallback);
  options.fallback_instructions = static_cast<uint16_t>(opening->fallback.size() / 8);
  options.fanout_program = bytes(opening->fanout_program);
  options.fanout_instructions = static_cast<uint16_t>(opening->fanout_program.size() / 8);
  options.multicast = bytes(opening->multicast);
  options.multicast_count = static_cast<uint32_t>(opening->multicast.size() / 6);
  PacketLayout& layout = opening->layout;
  layout.cooked = flag("cookedHeader");
  layout.ip = options.cooked && !layout.cooked;
  layout.inline_vlan = flag("inlineVlan");
  layout.hardware_time = options.hardware_time;
  layout.vnet_header = options.vnet_header ? 10 : 0;
  layout.split = options.vnet_header && flag("split");
  layout.snap_length = number("snapLength");
  int network = int_of(info, 0, -1);
  if (network >= 0) {
    // Of its own: the caller's may be closed before the pool gets to it.
    opening->network.reset(fcntl(network, F_DUPFD_CLOEXEC, 3));
    if (!opening->network) {
      delete opening;
      return throw_failure(env, Failure::last("fcntl", "F_DUPFD_CLOEXEC")), env.Undefined();
    }
  }
  napi_value promise, name;
  if (napi_create_string_utf8(env, "netloom:capture", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, nullptr, name, execute, complete, opening, &opening->work) != napi_ok) {
    delete opening;
    return env.Undefined();
  }
  if (napi_create_promise(env, &opening->deferred, &promise) != napi_ok ||
      napi_queue_async_work(env, opening->work) != napi_ok) {
    napi_delete_async_work(env, opening->work);
    delete opening;
    return env.Undefined();
  }
  return {env, promise};
}

PacketRing* claim_packet_ring(napi_env env, napi_value value) {
  bool ours = false;
  napi_valuetype type;
  void* data = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
      napi_check_object_type_tag(env, value, &kRingTag, &ours) != napi_ok || !ours ||
      napi_get_value_external(env, value, &data) != napi_ok)
    return nullptr;
  auto* box = static_cast<Box*>(data);
  PacketRing* ring = box->ring;
  box->ring = nullptr;
  return ring;
}

}  // namespace netloom
