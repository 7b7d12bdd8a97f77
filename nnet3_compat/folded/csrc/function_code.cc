#include "function_code.h"

#include <cstring>

#include "instructions.h"

namespace nnet3_compat {

namespace {

constexpr int64_t SUMMED = 512;

#ifdef NNET3_COMPAT_X86
#pragma GCC push_options
#pragma GCC target("arch=skylake-avx512,prefer-vector-width=512")
namespace avx512 {
constexpr int WIDTH = 16;
#include "function_kernel.h"
}  // namespace avx512
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=haswell")
namespace avx2 {
constexpr int WIDTH = 8;
#include "function_kernel.h"
}  // namespace avx2
#pragma GCC pop_options
#endif

namespace any_processor {
constexpr int WIDTH = 4;
#include "function_kernel.h"
}  // namespace any_processor

}  // namespace

const FunctionCode &function_code() {
#ifdef NNET3_COMPAT_X86
  if (usable(Instructions::AVX512)) return avx512::CODE;
  if (usable(Instructions::AVX2)) return avx2::CODE;
#endif
  return any_processor::CODE;
}

}  // namespace nnet3_compat
