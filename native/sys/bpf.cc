#include "bpf.h"

#include <linux/if_packet.h>
#include <string.h>

namespace netloom {
namespace {

constexpr size_t kMostInstructions = 1 << 20;
constexpr uint32_t kFacts = static_cast<uint32_t>(SKF_AD_OFF);

bool known(uint16_t code) {
  switch (code) {
    case BPF_LD | BPF_IMM:
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_H | BPF_ABS:
    case BPF_LD | BPF_B | BPF_ABS:
    case BPF_LD | BPF_W | BPF_IND:
    case BPF_LD | BPF_H | BPF_IND:
    case BPF_LD | BPF_B | BPF_IND:
    case BPF_LD | BPF_MEM:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_IMM:
    case BPF_LDX | BPF_MEM:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_B | BPF_MSH:
    case BPF_ST:
    case BPF_STX:
    case BPF_JMP | BPF_JA:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_ALU | BPF_NEG:
      return true;
  }
  const int operation = code & ~BPF_X;
  if (BPF_CLASS(code) == BPF_JMP)
    return operation == (BPF_JMP | BPF_JEQ) || operation == (BPF_JMP | BPF_JGT) || operation == (BPF_JMP | BPF_JGE) ||
           operation == (BPF_JMP | BPF_JSET);
  return BPF_CLASS(code) == BPF_ALU && code < 0x100 && (code & 0xf0) <= BPF_XOR && (code & 0xf0) != BPF_NEG;
}

bool is_fact(uint32_t k) {
  const uint32_t number = k - kFacts;
  return number % 4 == 0 && number < SKF_AD_MAX;
}

uint32_t load16(const uint8_t* at) { return static_cast<uint32_t>(at[0]) << 8 | at[1]; }
uint32_t load32(const uint8_t* at) { return load16(at) << 16 | load16(at + 2); }

// False: not known.
bool tell(const PacketFacts& facts, uint32_t number, uint32_t& a) {
  switch (number) {
    case SKF_AD_PROTOCOL:
      a = facts.protocol;
      return facts.protocol != 0;
    case SKF_AD_PKTTYPE:
      a = facts.outgoing ? PACKET_OUTGOING : PACKET_HOST;
      return true;
    case SKF_AD_IFINDEX:
      a = facts.interface;
      return facts.interface != 0;
    case SKF_AD_VLAN_TAG_PRESENT:
      a = facts.vlan != 0;
      return true;
    case SKF_AD_VLAN_TAG:
      a = facts.vlan & 0xffff;
      return true;
    case SKF_AD_VLAN_TPID:
      a = facts.vlan >> 16;
      return true;
  }
  return false;
}

}  // namespace

bool BpfProgram::load(const uint8_t* program, size_t bytes) {
  code_.clear();
  const size_t count = bytes / sizeof(sock_filter);
  if (bytes % sizeof(sock_filter) != 0 || count == 0 || count > kMostInstructions) return false;
  std::vector<sock_filter> code(count);
  memcpy(code.data(), program, bytes);
  // Words of the memory that are written on all paths to an instruction.
  std::vector<uint16_t> written(count, 0xffff);
  written[0] = 0;
  for (size_t at = 0; at < count; at++) {
    const sock_filter& each = code[at];
    const int kind = BPF_CLASS(each.code);
    uint16_t memory = written[at];
    if (!known(each.code)) return false;
    if ((each.code == (BPF_ALU | BPF_DIV) || each.code == (BPF_ALU | BPF_MOD)) && each.k == 0) return false;
    if ((each.code == (BPF_ALU | BPF_LSH) || each.code == (BPF_ALU | BPF_RSH)) && each.k > 31) return false;
    const bool reads = each.code == (BPF_LD | BPF_MEM) || each.code == (BPF_LDX | BPF_MEM);
    if (reads || kind == BPF_ST || kind == BPF_STX) {
      if (each.k >= BPF_MEMWORDS) return false;
      const auto word = static_cast<uint16_t>(1u << each.k);
      if (reads && !(memory & word)) return false;
      memory |= word;
    }
    if (kind == BPF_LD && BPF_MODE(each.code) == BPF_ABS && each.k >= kFacts && !is_fact(each.k)) return false;
    if (kind == BPF_RET) continue;
    const bool jump = each.code == (BPF_JMP | BPF_JA), branch = kind == BPF_JMP && !jump;
    const size_t yes = at + 1 + (jump ? each.k : branch ? each.jt : 0), no = branch ? at + 1 + each.jf : yes;
    if (yes >= count || no >= count) return false;
    written[yes] &= memory;
    written[no] &= memory;
  }
  if (BPF_CLASS(code[count - 1].code) != BPF_RET) return false;
  code_ = static_cast<std::vector<sock_filter>&&>(code);
  return true;
}

uint32_t BpfProgram::run(const uint8_t* packet, uint32_t size, const PacketFacts& facts) const {
  uint32_t a = 0, x = 0, memory[BPF_MEMWORDS];
  for (const sock_filter* at = code_.data();; at++) {
    const uint32_t k = at->k;
    uint64_t from = k;
    switch (at->code) {
      case BPF_LD | BPF_IMM:
        a = k;
        continue;
      case BPF_LD | BPF_W | BPF_IND:
        from += x;
        [[fallthrough]];
      case BPF_LD | BPF_W | BPF_ABS:
        if (at->code == (BPF_LD | BPF_W | BPF_ABS) && k >= kFacts) {
          if (!tell(facts, k - kFacts, a)) return 0;
          continue;
        }
        if (from + 4 > size) return 0;
        a = load32(packet + from);
        continue;
      case BPF_LD | BPF_H | BPF_IND:
        from += x;
        [[fallthrough]];
      case BPF_LD | BPF_H | BPF_ABS:
        if (at->code == (BPF_LD | BPF_H | BPF_ABS) && k >= kFacts) {
          if (!tell(facts, k - kFacts, a)) return 0;
          continue;
        }
        if (from + 2 > size) return 0;
        a = load16(packet + from);
        continue;
      case BPF_LD | BPF_B | BPF_IND:
        from += x;
        [[fallthrough]];
      case BPF_LD | BPF_B | BPF_ABS:
        if (at->code == (BPF_LD | BPF_B | BPF_ABS) && k >= kFacts) {
          if (!tell(facts, k - kFacts, a)) return 0;
          continue;
        }
        if (from >= size) return 0;
        a = packet[from];
        continue;
      case BPF_LD | BPF_MEM:
        a = memory[k];
        continue;
      case BPF_LD | BPF_W | BPF_LEN:
        a = facts.length;
        continue;
      case BPF_LDX | BPF_IMM:
        x = k;
        continue;
      case BPF_LDX | BPF_MEM:
        x = memory[k];
        continue;
      case BPF_LDX | BPF_W | BPF_LEN:
        x = facts.length;
        continue;
      case BPF_LDX | BPF_B | BPF_MSH:
        if (k >= size) return 0;
        x = (packet[k] & 0xfu) << 2;
        continue;
      case BPF_ST:
        memory[k] = a;
        continue;
      case BPF_STX:
        memory[k] = x;
        continue;
      case BPF_JMP | BPF_JA:
        at += k;
        continue;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == k ? at->jt : at->jf;
        continue;
      case BPF_JMP | BPF_JEQ | BPF_X:
        at += a == x ? at->jt : at->jf;
        continue;
      case BPF_JMP | BPF_JGT | BPF_K:
        at += a > k ? at->jt : at->jf;
        continue;
      case BPF_JMP | BPF_JGT | BPF_X:
        at += a > x ? at->jt : at->jf;
        continue;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += a >= k ? at->jt : at->jf;
        continue;
      case BPF_JMP | BPF_JGE | BPF_X:
        at += a >= x ? at->jt : at->jf;
        continue;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (a & k) ? at->jt : at->jf;
        continue;
      case BPF_JMP | BPF_JSET | BPF_X:
        at += (a & x) ? at->jt : at->jf;
        continue;
      case BPF_RET | BPF_K:
        return k;
      case BPF_RET | BPF_A:
        return a;
      case BPF_MISC | BPF_TAX:
        x = a;
        continue;
      case BPF_MISC | BPF_TXA:
        a = x;
        continue;
      case BPF_ALU | BPF_NEG:
        a = 0 - a;
        continue;
    }
    // Arithmetic.
    const bool by_x = (at->code & BPF_X) != 0;
    const uint32_t other = by_x ? x : k;
    switch (BPF_OP(at->code)) {
      case BPF_ADD:
        a += other;
        continue;
      case BPF_SUB:
        a -= other;
        continue;
      case BPF_MUL:
        a *= other;
        continue;
      case BPF_DIV:
        if (other == 0) return 0;
        a /= other;
        continue;
      case BPF_MOD:
        if (other == 0) return 0;
        a %= other;
        continue;
      case BPF_OR:
        a |= other;
        continue;
      case BPF_AND:
        a &= other;
        continue;
      case BPF_XOR:
        a ^= other;
        continue;
      case BPF_LSH:
        a = other > 31 ? 0 : a << other;
        continue;
      case BPF_RSH:
        a = other > 31 ? 0 : a >> other;
        continue;
    }
    return 0;
  }
}

}  // namespace netloom
