#pragma once
#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include <vector>

// Classic BPF: linux/filter.h, linux/bpf_common.h, Documentation/networking/filter.rst.
namespace netloom {

// What is known of a packet beside its bytes.
struct PacketFacts {
  uint32_t length = 0;     // on the wire
  bool outgoing = false;   // this host sent it
  uint32_t interface = 0;  // index; 0 = not known
  uint32_t vlan = 0;       // tpid << 16 | tci of a tag beside the bytes; 0 = none
  uint32_t protocol = 0;   // EtherType, of packets without a link header; 0 = not known
};

// A program that was checked, and is run here rather than by the kernel.
class BpfProgram {
 public:
  // `bytes` of struct sock_filter. False, and nothing is loaded, unless the program ends with an answer on every path:
  // known operations, branches inside, no division by a constant zero, no memory read before it is written.
  bool load(const uint8_t* program, size_t bytes);
  bool empty() const { return code_.empty(); }

  // How many bytes of the packet are wanted, 0 = none of it. A load past the end refuses the packet, and so do a
  // division by zero and a question for what is not among the facts. Not for an empty program.
  uint32_t run(const uint8_t* packet, uint32_t size, const PacketFacts& facts) const;

 private:
  std::vector<sock_filter> code_;
};

}  // namespace netloom
