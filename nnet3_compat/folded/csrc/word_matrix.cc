#include "word_matrix.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#ifdef NNET3_COMPAT_X86
#include <immintrin.h>
#endif

#include "cache_lines.h"
#include "float_matrix.h"
#include "output.h"
#include "weights_memory.h"

namespace nnet3_compat {

namespace {

// How a row was rounded: number k is low + step * u_k, u_k = (x_k - begin) * steps without its fraction.
struct RowScale {
  float low, step, begin, steps;

  // ``strange``: zero where all numbers are finite. A row with others has outputs that are no numbers.
  static RowScale of(float low, float high, float strange) {
    constexpr float MOST = 255.0f, LEAST_RANGE = 1e-30f;
    if (strange != 0 || !(high - low < std::numeric_limits<float>::infinity())) {
      const float none = std::numeric_limits<float>::quiet_NaN();
      return {none, none, 0, 0};
    }
    const float range = high - low;
    if (!(range > LEAST_RANGE)) return {low, 0, low, 0};
    const float step = range / MOST;
    return {low, step, low - 0.5f * step, MOST / range};
  }
};

// Of a panel, per output: its scale, and the sum of its weights.
struct Weights {
  const float *scales, *sums;
};

constexpr int64_t LANES = 16;    // rows of words end at a multiple of so many, for AMX
// Of rows that go through all panels before the next ones: as many as stay in the second cache beside some panels.
constexpr int64_t BLOCK_ROWS = 240, BLOCK_NUMBERS = int64_t{1} << 17;
constexpr int64_t TILE_ROWS = 96;  // whose sums are made before they are finished: a multiple of all kernels'

#ifdef NNET3_COMPAT_X86
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
constexpr int WIDTH = 8, ROWS = 3;
using Number = int16_t;
using Register = __m256i;
#define DOT(sums, x, w) _mm256_add_epi32(sums, _mm256_madd_epi16(x, w))
#include "int8_code.h"
}  // namespace avx2
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("fma,avx512f,avx512vl,avx512dq,avx512bw")
namespace avx512 {
constexpr int WIDTH = 16, ROWS = 12;
using Number = int16_t;
using Register = __m512i;
#define DOT(sums, x, w) _mm512_add_epi32(sums, _mm512_madd_epi16(x, w))
#include "int8_code.h"
}  // namespace avx512
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("fma,avx512f,avx512vl,avx512dq,avx512bw,avx512vnni")
namespace avx512_vnni {
constexpr int WIDTH = 16, ROWS = 12;
using Number = uint8_t;
using Register = __m512i;
#define DOT(sums, x, w) _mm512_dpbusd_epi32(sums, x, w)
#include "int8_code.h"
}  // namespace avx512_vnni
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("fma,avx512f,avx512vl,avx512dq,avx512bw,avx512bf16")
namespace avx512_bf16 {
constexpr int WIDTH = 16, ROWS = 12;
#include "finish_kernel.h"
#include "bfloat16_rows.h"
inline IntVector dot(IntVector sums, IntVector x, IntVector w) {
  return (IntVector)_mm512_dpbf16_ps((__m512)sums, (__m512bh)x, (__m512bh)w);
}
#include "word_kernel.h"
}  // namespace avx512_bf16
#pragma GCC pop_options
#ifdef NNET3_COMPAT_X86_AMX
#pragma GCC push_options
#pragma GCC target("avx2,fma,avxvnni")
namespace avx_vnni {
constexpr int WIDTH = 8, ROWS = 3;
using Number = uint8_t;
using Register = __m256i;
#define DOT(sums, x, w) _mm256_dpbusd_avx_epi32(sums, x, w)
#include "int8_code.h"
}  // namespace avx_vnni
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("fma,avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,amx-tile,amx-int8,amx-bf16")
namespace amx_int8 {
#define DOT _tile_dpbusd
#include "tile_kernel.h"
#undef DOT
}  // namespace amx_int8
namespace amx_bf16 {
#define DOT _tile_dpbf16ps
#include "tile_kernel.h"
#undef DOT
}  // namespace amx_bf16
#pragma GCC pop_options
#endif
#endif

namespace any_processor {
constexpr int WIDTH = 4, ROWS = 1;
using Number = int16_t;
#ifdef NNET3_COMPAT_X86
using Register = __m128i;
#define DOT(sums, x, w) _mm_add_epi32(sums, _mm_madd_epi16(x, w))
#else
typedef int32_t Register __attribute__((vector_size(WIDTH * sizeof(int32_t))));
inline Register add_products(Register sums, Register x, Register w) {
  for (int i = 0; i < WIDTH; i++) {
    int16_t a[2], b[2];
    const int32_t words[] = {x[i], w[i]};
    std::memcpy(a, &words[0], sizeof a);
    std::memcpy(b, &words[1], sizeof b);
    sums[i] += a[0] * b[0] + a[1] * b[1];
  }
  return sums;
}
#define DOT add_products
#endif
#include "int8_code.h"
}  // namespace any_processor

void nothing() {}

// What products of a kind of numbers are made by.
struct Code {
  int64_t per_word;  // numbers
  void (*pack_rows)(const Rows &, int64_t, int64_t, int64_t, uint32_t *, RowScale *);
  void (*dot_panel)(const uint32_t *, int64_t, int64_t, const uint32_t *, uint32_t *);
  void (*finish)(const uint32_t *, const RowScale *, const Weights &, const Output &, int64_t, int64_t);
  void (*begin)() = nothing;  // around all that a thread does
  void (*end)() = nothing;
};

Code int8_code(Instructions instructions) {
  switch (instructions) {
#ifdef NNET3_COMPAT_X86
    case Instructions::AVX2: return {2, avx2::pack_rows, avx2::dot_panel, avx2::finish};
    case Instructions::AVX512: return {2, avx512::pack_rows, avx512::dot_panel, avx512::finish};
    case Instructions::AVX512_VNNI: return {4, avx512_vnni::pack_rows, avx512_vnni::dot_panel, avx512_vnni::finish};
#ifdef NNET3_COMPAT_X86_AMX
    case Instructions::AVX_VNNI: return {4, avx_vnni::pack_rows, avx_vnni::dot_panel, avx_vnni::finish};
    case Instructions::AMX:
      return {4, avx512_vnni::pack_rows, amx_int8::dot_panel, avx512_vnni::finish, amx_int8::begin_tiles,
              amx_int8::end_tiles};
#endif
#endif
    default: return {2, any_processor::pack_rows, any_processor::dot_panel, any_processor::finish};
  }
}

#ifdef NNET3_COMPAT_X86
Code bfloat16_code(Instructions instructions) {
#ifdef NNET3_COMPAT_X86_AMX
  if (instructions == Instructions::AMX)
    return {2, avx512_bf16::pack_rows, amx_bf16::dot_panel, avx512_bf16::finish, amx_bf16::begin_tiles,
            amx_bf16::end_tiles};
#endif
  return {2, avx512_bf16::pack_rows, avx512_bf16::dot_panel, avx512_bf16::finish};
}
#endif

int64_t up_to_multiple(int64_t number, int64_t of) { return (number + of - 1) / of * of; }

class WordMatrix : public PackedMatrix {
 public:
  // scales [outputs] and sums [outputs], of weights: empty for bfloat16.
  WordMatrix(const float *bias, const float *offset, int64_t outputs, int64_t inputs, const Code &code)
      : PackedMatrix(bias, offset, outputs, inputs),
        code_(code),
        words_(up_to_multiple((inputs + code.per_word - 1) / code.per_word, LANES)),
        panels_(weights_of<uint32_t>(up_to_multiple(outputs, PANEL) * words_)),
        scales_(up_to_multiple(outputs, PANEL), 0.0f),
        sums_(scales_) {}

  // Weight k of an output; a Number as many bits as the code's.
  template <class Number>
  void set_weight(int64_t output, int64_t k, Number number) {
    uint32_t *const word =
        panels_.get() + output / PANEL * PANEL * words_ + k / code_.per_word * PANEL + output % PANEL;
    reinterpret_cast<Number *>(word)[k % code_.per_word] = number;
  }

  void set_scale(int64_t output, float scale, float sum) {
    scales_[output] = scale;
    sums_[output] = sum;
  }

 private:
  int64_t rows_of_block(int64_t dim) const override {
    return std::max<int64_t>(1, std::min(BLOCK_ROWS, BLOCK_NUMBERS / dim));
  }

  void compute_rows(const Rows &rows, int64_t begin, int64_t end, const Finish &finish, float *y) const override {
    thread_local LineVector<uint32_t> packed;
    thread_local std::vector<RowScale> row_scales;
    alignas(64) uint32_t sums[TILE_ROWS * PANEL];
    const int64_t count = end - begin;
    const size_t needed = up_to_multiple(count, LANES) * words_;
    if (packed.size() < needed) packed.resize(needed);
    if (static_cast<int64_t>(row_scales.size()) < count) row_scales.resize(count);
    clear_ends(packed.data(), count);
    code_.pack_rows(rows, begin, end, words_, packed.data(), row_scales.data());
    code_.begin();
    for (int64_t column = 0; column < outputs(); column += PANEL) {
      const Output output(finish, bias(column), offset(column), column, outputs(), y);
      const Weights weights{&scales_[column], &sums_[column]};
      for (int64_t row = 0; row < count; row += TILE_ROWS) {
        const int64_t here = std::min(TILE_ROWS, count - row);
        code_.dot_panel(&packed[row * words_], here, words_, panels_.get() + column * words_, sums);
        code_.finish(sums, &row_scales[row], weights, output, begin + row, here);
      }
    }
    code_.end();
  }

  // What is behind the numbers of each row, which is multiplied by weights that are zero, must be numbers too.
  void clear_ends(uint32_t *packed, int64_t count) const {
    const int64_t whole = inputs() / code_.per_word;
    for (int64_t row = 0; row < count; row++)
      std::fill(packed + row * words_ + whole, packed + (row + 1) * words_, 0u);
  }

  Code code_;
  int64_t words_;  // of a row
  std::shared_ptr<uint32_t> panels_;
  std::vector<float> scales_, sums_;
};

// To the nearest, to even ones between two.
uint16_t to_bfloat16(float number) {
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  if (std::isnan(number)) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

float from_bfloat16(uint16_t number) {
  const uint32_t bits = uint32_t{number} << 16;
  float made;
  std::memcpy(&made, &bits, sizeof made);
  return made;
}

}  // namespace

std::shared_ptr<PackedMatrix> pack_int8(const int8_t *weights, const float *scales, const float *bias,
                                        const float *offset, int64_t outputs, int64_t inputs,
                                        Instructions instructions) {
  const Code code = int8_code(instructions);
  const auto made = std::make_shared<WordMatrix>(bias, offset, outputs, inputs, code);
  for (int64_t output = 0; output < outputs; output++) {
    int64_t sum = 0;
    for (int64_t k = 0; k < inputs; k++, weights++) {
      sum += *weights;
      if (code.per_word == 4)
        made->set_weight(output, k, *weights);
      else
        made->set_weight(output, k, static_cast<int16_t>(*weights));
    }
    made->set_scale(output, scales[output], scales[output] * static_cast<float>(sum));
  }
  return made;
}

std::shared_ptr<PackedMatrix> pack_bfloat16(const float *weights, const float *bias, const float *offset,
                                            int64_t outputs, int64_t inputs, Instructions instructions) {
#ifdef NNET3_COMPAT_X86
  if (instructions >= Instructions::AVX512_BF16) {
    const auto made = std::make_shared<WordMatrix>(bias, offset, outputs, inputs, bfloat16_code(instructions));
    for (int64_t output = 0; output < outputs; output++)
      for (int64_t k = 0; k < inputs; k++) made->set_weight(output, k, to_bfloat16(*weights++));
    return made;
  }
#endif
  std::vector<float> rounded(outputs * inputs);
  for (float &number : rounded) number = from_bfloat16(to_bfloat16(*weights++));
  return pack_float32(rounded.data(), bias, offset, outputs, inputs, instructions);
}

}  // namespace nnet3_compat
