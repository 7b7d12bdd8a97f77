#include "instructions.h"

#include <cstdlib>
#include <stdexcept>

#ifdef NNET3_COMPAT_X86
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace nnet3_compat {

namespace {

constexpr const char *NAMES[] = {"any", "avx2", "avx512", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx"};
constexpr const char *VARIABLE = "NNET_PYTORCH_INSTRUCTIONS";

#ifdef NNET3_COMPAT_X86
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

// Bits of cpuid's leaf 7: EDX of subleaf 0, EAX of subleaf 1.
enum class Word { EDX_0, EAX_1 };
bool has_bits(Word word, unsigned bits) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, word == Word::EDX_0 ? 0 : 1, &a, &b, &c, &d)) return false;
  return ((word == Word::EDX_0 ? d : a) & bits) == bits;
}

// Linux gives the tiles' registers to processes that ask.
bool may_use_tiles() {
#ifdef __linux__
  constexpr int REQUEST_PERMISSION = 0x1023, TILE_DATA = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
  return false;
#endif
}

bool has(Instructions instructions) {
  switch (instructions) {
    case Instructions::ANY: return true;
    case Instructions::AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#ifdef NNET3_COMPAT_X86_AMX
    case Instructions::AVX_VNNI: return has(Instructions::AVX2) && has_bits(Word::EAX_1, 1u << 4);
#endif
    case Instructions::AVX512: return has_avx512();
    case Instructions::AVX512_VNNI: return has_avx512() && __builtin_cpu_supports("avx512vnni");
    case Instructions::AVX512_BF16: return has_avx512() && has_bits(Word::EAX_1, 1u << 5);
#ifdef NNET3_COMPAT_X86_AMX
    case Instructions::AMX:  // bfloat16, tiles, int8
      return has(Instructions::AVX512_BF16) && has_bits(Word::EDX_0, 1u << 22 | 1u << 24 | 1u << 25) && may_use_tiles();
#endif
    default: return false;
  }
}
#else
bool has(Instructions instructions) { return instructions == Instructions::ANY; }
#endif

Instructions greatest_wanted() {
  const char *const wanted = std::getenv(VARIABLE);
  if (wanted == nullptr || *wanted == '\0') return Instructions::AMX;
  std::string all;
  for (int i = 0; i <= static_cast<int>(Instructions::AMX); i++) {
    if (std::string(wanted) == NAMES[i]) return static_cast<Instructions>(i);
    all += std::string(i == 0 ? "" : ", ") + NAMES[i];
  }
  throw std::invalid_argument(std::string(VARIABLE) + "=" + wanted + " is none of " + all);
}

}  // namespace

const char *name_of(Instructions instructions) { return NAMES[static_cast<int>(instructions)]; }

bool usable(Instructions instructions) { return instructions <= greatest_wanted() && has(instructions); }

}  // namespace nnet3_compat
