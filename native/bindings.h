#pragma once
#include <napi.h>

#include "sys/netns.h"

namespace netloom {

// Each concern adds its functions and classes to the addon's exports.
void define_descriptors(Napi::Env env, Napi::Object exports);
void define_tuntap(Napi::Env env, Napi::Object exports);
void define_netns(Napi::Env env, Napi::Object exports);
void define_netlink(Napi::Env env, Napi::Object exports);
void define_ethtool(Napi::Env env, Napi::Object exports);
void define_udp(Napi::Env env, Napi::Object exports);
void define_offload(Napi::Env env, Napi::Object exports);
void define_packets(Napi::Env env, Napi::Object exports);

// open_in_namespace on a thread of its own, which the caller waits for; on this thread if `network` < 0.
Opened open_on_thread(int network, OpenJob job, const void* argument);

// The same for a job that may leave its thread anywhere.
Opened run_on_thread(OpenJob job, const void* argument);

}  // namespace netloom
