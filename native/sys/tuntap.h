#pragma once
#include <stdint.h>

#include "netns.h"
#include "result.h"

// TUN and TAP devices: linux/if_tun.h, Documentation/networking/tuntap.rst and drivers/net/tun.c.
namespace netloom {

struct TuntapOptions {
  int fd;               // for configure_tuntap
  char name[16];        // name or pattern such as tap%d; empty = the kernel's own pattern
  uint16_t flags;       // IFF_TUN or IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE, …
  bool must_exist;      // attach to what is there; with IFF_TUN_EXCL in `flags`: make what is not
  bool set_owner, set_group, set_send_buffer, set_vnet_header_size, set_offload;
  uint32_t owner, group;
  int32_t send_buffer;
  int32_t vnet_header_size;
  uint32_t offload;     // TUN_F_ bits
};

struct TuntapIdentity {
  char name[16];
  // As the kernel reports them, IFF_PERSIST included. Bit 0x1000 says nothing: TUNGETIFF sets it as IFF_NOFILTER
  // on every descriptor without a filter, whether or not the device has IFF_NO_PI, which is the same number.
  uint16_t flags;
  int32_t index;   // of the link, in the namespace the device was opened in; 0 = not asked
};

// For open_in_namespace: `argument` is a TuntapOptions; brings back the descriptor and a TuntapIdentity. Every
// setting is made before the descriptor is handed out. The offload mask is device-wide and outlives a
// descriptor on persistent devices, so `set_offload` should be on also for a mask of 0.
void open_tuntap(const void* argument, Opened& out);

// The same for the settings only, of an attached descriptor. User and group ids are numbered as inside.
void configure_tuntap(const void* argument, Opened& out);

// TUNGETIFF. EBADFD once the device was deleted, ENOTTY for another kind of file.
Result<TuntapIdentity> identify_tuntap(int fd);

// One ioctl each, value in, value out. The order is shared with src/tuntap/handle.ts.
enum class TuntapRequest {
  kGetFeatures,
  kSetPersist,
  kSetOwner,
  kSetGroup,
  kSetSendBuffer,
  kGetSendBuffer,
  kSetOffload,
  kSetVnetHeaderSize,
  kGetVnetHeaderSize,
  kSetCarrier,
  kEnableQueue,
  kSetVnetLittleEndian,
  kGetVnetLittleEndian,
  kSetVnetBigEndian,
  kGetVnetBigEndian,
  kSetSteeringProgram,
  kSetFilterProgram,
  kGetNamespace,
  kDetachFilter,
  kCount,
};
Result<int> control_tuntap(int fd, TuntapRequest request, int value);

// TUNATTACHFILTER: a classic BPF program, eight bytes an instruction (struct sock_filter).
Failure attach_tuntap_filter(int fd, const uint8_t* program, uint16_t instructions);

// TUNSETTXFILTER: TAP only; `addresses` are six bytes each. Returns how many are matched exactly.
Result<int> set_tuntap_tx_filter(int fd, bool all_multicast, const uint8_t* addresses, uint16_t count);

}  // namespace netloom
