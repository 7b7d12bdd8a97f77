// The sets of instructions that products have code for, and which of them this processor has.

#pragma once

#include <string>
#include <vector>

// GCC compiles functions for other processors than the one that all else is for; others make do with what all have.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define NNET3_COMPAT_X86 1
#if __GNUC__ >= 11
#define NNET3_COMPAT_X86_AMX 1  // and AVX-VNNI
#endif
#endif

namespace nnet3_compat {

enum class Instructions { ANY, AVX2, AVX512, AVX_VNNI, AVX512_VNNI, AVX512_BF16, AMX };

const char *name_of(Instructions instructions);

// Whether this processor, and this program by its environment, may use them: NNET_PYTORCH_INSTRUCTIONS names the last
// ones, in the order above, that are used. Throws std::invalid_argument where it names none.
bool usable(Instructions instructions);

}  // namespace nnet3_compat
