#pragma once
#include <napi.h>

#include "sys/packet_ring.h"

namespace netloom {

// openPacketRing(namespace or -1, settings, filter, fallback, fanoutProgram or undefined, multicast):
// a promise of { ring, filterError, fanoutGroup, down }. The ring is made on other threads, as a large one takes long;
// whoever does not claim it leaves it to the collector.
Napi::Value open_packet_ring(const Napi::CallbackInfo& info);

// The ring behind what open_packet_ring gave, once: null for anything else.
PacketRing* claim_packet_ring(napi_env env, napi_value value);

}  // namespace netloom
