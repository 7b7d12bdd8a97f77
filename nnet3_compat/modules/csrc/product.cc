#include "product.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "../../folded/csrc/instructions.h"
#include "../../folded/csrc/parallel.h"

#ifdef NNET3_COMPAT_X86_AMX
#include <immintrin.h>
#endif

namespace nnet3_compat {

#ifdef NNET3_COMPAT_X86_AMX

bool can_multiply() {
  static const bool can = usable(Instructions::AMX);
  return can;
}

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,amx-tile,amx-bf16")

namespace {

// A tile has 16 lines of 16 words, of two bfloat16 each: of the rows of A, or of two rows of B. In a word are the numbers
// k and k + 16 of 32 that are summed over; which of them meet makes no difference.
constexpr int64_t LINES = 16, DEPTH = 32, PARTS = 3;
constexpr int64_t TILE = LINES * LINES, TILES = PARTS * TILE;  // words: of a part, of all
// So much is cut at a time, so that it stays in the second cache.
constexpr int64_t MOST_ROWS = 128, MOST_COLUMNS = 512, MOST_DEPTH = 256;

using Words = __m512i;

inline __mmask16 first(int64_t count) { return count >= LINES ? 0xffffu : count <= 0 ? 0u : (1u << count) - 1; }

// Parts of x, each with zeros below the upper 16 bits. The first is cut off, as the greatest numbers would be rounded to
// infinity, the second rounded, so that the third has what is left.
inline void cut(__m512 x, Words *parts) {
  static_assert(PARTS == 3);
  const Words half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  parts[0] = _mm512_and_si512(_mm512_castps_si512(x), upper);
  x = _mm512_sub_ps(x, _mm512_castsi512_ps(parts[0]));
  parts[1] = _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), half), upper);
  parts[2] = _mm512_castps_si512(_mm512_sub_ps(x, _mm512_castsi512_ps(parts[1])));
}

// A line of each part's tile.
inline void store_words(__m512 low, __m512 high, uint32_t *to) {
  Words lows[PARTS], highs[PARTS];
  cut(low, lows);
  cut(high, highs);
#pragma GCC unroll 3
  for (int p = 0; p < PARTS; p++)
    _mm512_store_si512(to + p * TILE, _mm512_mask_blend_epi16(0xaaaaaaaau, _mm512_srli_epi32(lows[p], 16), highs[p]));
}

// Of a tile of 16 lines of 16 words, in its place.
inline void transpose(uint32_t *tile) {
  Words a[LINES], b[LINES];
#pragma GCC unroll 16
  for (int i = 0; i < LINES; i++) a[i] = _mm512_load_si512(tile + i * LINES);
#pragma GCC unroll 8
  for (int i = 0; i < LINES; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < LINES; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    b[i] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88);
    b[i + 4] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xdd);
    b[i + 8] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
    b[i + 12] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    _mm512_store_si512(tile + i * LINES, _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88));
    _mm512_store_si512(tile + (i + 8) * LINES, _mm512_shuffle_i32x4(b[i], b[i + 8], 0xdd));
    _mm512_store_si512(tile + (i + 4) * LINES, _mm512_shuffle_i32x4(b[i + 4], b[i + 12], 0x88));
    _mm512_store_si512(tile + (i + 12) * LINES, _mm512_shuffle_i32x4(b[i + 4], b[i + 12], 0xdd));
  }
}

inline void transpose_parts(uint32_t *tiles) {
  for (int p = 0; p < PARTS; p++) transpose(tiles + p * TILE);
}

// What tiles are made of: x[line * line_stride + k * k_stride], of which one is 1; a line is a row of A, a column of B.
struct Source {
  const float *x;
  int64_t line_stride, k_stride, lines, depth;

  int64_t steps() const { return (depth + DEPTH - 1) / DEPTH; }
};

// Tiles [lines / 16][steps], in which a line's words stand side by side, or where ``across`` is true one below the other.
// Memory is read as it lies. Where the totals are not nullptr, sums over k of each line are added there: of squares where k
// is dense, of the numbers themselves where lines are.
inline void pack(const Source &source, bool across, const Totals &totals, uint32_t *tiles) {
  const int64_t steps = source.steps();
  const auto at = [&](int64_t line, int64_t step) { return tiles + (line / LINES * steps + step) * TILES; };
  if (source.k_stride == 1) {
    for (int64_t line = 0; line < source.lines; line += LINES) {
      const float *x = source.x + line * source.line_stride;
      __m512 sums[LINES] = {};
      for (int64_t s = 0; s < steps; s++, x += DEPTH) {
        const __mmask16 low = first(source.depth - s * DEPTH), high = first(source.depth - s * DEPTH - LINES);
        for (int64_t i = 0; i < LINES; i++) {
          const bool there = line + i < source.lines;
          const float *const from = x + i * source.line_stride;
          const __m512 left = _mm512_maskz_loadu_ps(there ? low : 0, from);
          const __m512 right = _mm512_maskz_loadu_ps(there ? high : 0, from + LINES);
          store_words(left, right, at(line, s) + i * LINES);
          if (totals.squares != nullptr) sums[i] = _mm512_fmadd_ps(left, left, _mm512_fmadd_ps(right, right, sums[i]));
        }
      }
      for (int64_t i = 0; totals.squares != nullptr && i < LINES && line + i < source.lines; i++)
        totals.squares[line + i] += _mm512_reduce_add_ps(sums[i]);
      for (int64_t s = 0; across && s < steps; s++) transpose_parts(at(line, s));
    }
    return;
  }
  alignas(64) float sums[MOST_COLUMNS] = {};
  for (int64_t s = 0; s < steps; s++) {
    const int64_t left = source.depth - s * DEPTH;
    for (int64_t i = 0; i < LINES; i++) {
      const float *low = source.x + (s * DEPTH + i) * source.k_stride, *high = low + LINES * source.k_stride;
      for (int64_t line = 0; line < source.lines; line += LINES, low += LINES, high += LINES) {
        const __mmask16 mask = first(source.lines - line);
        const __m512 upper = _mm512_maskz_loadu_ps(i < left ? mask : 0, low);
        const __m512 lower = _mm512_maskz_loadu_ps(i + LINES < left ? mask : 0, high);
        store_words(upper, lower, at(line, s) + i * LINES);
        if (totals.sums != nullptr)
          _mm512_store_ps(sums + line, _mm512_add_ps(_mm512_load_ps(sums + line), _mm512_add_ps(upper, lower)));
      }
    }
    for (int64_t line = 0; !across && line < source.lines; line += LINES) transpose_parts(at(line, s));
  }
  for (int64_t line = 0; totals.sums != nullptr && line < source.lines; line++) totals.sums[line] += sums[line];
}

// The registers: 0 to 3 sums, 4 and 5 of A, 6 and 7 of B. (Static, as the compiler does not know how much of it the
// instruction reads.)
struct alignas(64) Shapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
const Shapes SHAPES;

// Where 16 x 16 elements of C are, of which there may be fewer at its edges, and what their sums begin with.
struct Corner {
  float *c;
  int64_t stride, rows, columns;
  const float *bias;  // of all rows, with room behind it; nullptr: none

  Corner at(int64_t row, int64_t column) const {
    return {c + row * stride + column, stride, rows - row, columns - column, bias == nullptr ? bias : bias + column};
  }
};

// Lines of 16 numbers for a tile's register.
struct Lines {
  const float *x;
  int64_t bytes;  // from one to the next
};

// What C has, or where ``add`` is false its bias; edges are put together in ``scratch``.
inline Lines sums_before(const Corner &corner, bool add, float *scratch) {
  if (!add) return {corner.bias, 0};
  if (corner.rows >= LINES && corner.columns >= LINES) return {corner.c, corner.stride * int64_t{sizeof(float)}};
  const __mmask16 mask = first(corner.columns);
  for (int64_t r = 0; r < LINES; r++)
    _mm512_store_ps(scratch + r * LINES, _mm512_maskz_loadu_ps(r < corner.rows ? mask : 0, corner.c + r * corner.stride));
  return {scratch, LINES * sizeof(float)};
}

inline void copy_edge(const float *scratch, const Corner &corner) {
  for (int64_t r = 0; r < LINES && r < corner.rows; r++)
    _mm512_mask_storeu_ps(corner.c + r * corner.stride, first(corner.columns), _mm512_load_ps(scratch + r * LINES));
}

// What is written to memory is there for instructions that the compiler does not know to read it.
inline void finish_writing() { asm volatile("" ::: "memory"); }

#define LOAD_A(part)                     \
  _tile_loadd(4, a + part * TILE, LINE); \
  if (LOWER) _tile_loadd(5, lower_a + part * TILE, LINE);
#define LOAD_B(part)                     \
  _tile_loadd(6, b + part * TILE, LINE); \
  if (RIGHT) _tile_loadd(7, right_b + part * TILE, LINE);
#define ADD_PRODUCTS                  \
  _tile_dpbf16ps(0, 4, 6);            \
  if (RIGHT) _tile_dpbf16ps(1, 4, 7); \
  if (LOWER) _tile_dpbf16ps(2, 5, 6); \
  if (RIGHT && LOWER) _tile_dpbf16ps(3, 5, 7);
#define BEGIN_SUMS(number, corner)                          \
  if (!add && corner.bias == nullptr) {                     \
    _tile_zero(number);                                     \
  } else {                                                  \
    const Lines before = sums_before(corner, add, scratch); \
    finish_writing();                                       \
    _tile_loadd(number, before.x, before.bytes);            \
  }
#define END_SUMS(number, corner)                                            \
  {                                                                         \
    const bool whole = corner.rows >= LINES && corner.columns >= LINES;     \
    float *const to = whole ? corner.c : scratch;                           \
    _tile_stored(number, to, whole ? corner.stride * sizeof(float) : LINE); \
    if (!whole) copy_edge(scratch, corner);                                 \
  }

// Tiles of A [2][steps] times those of B [2][steps]; corner: the upper left one of the four.
template <bool LOWER, bool RIGHT>
inline void sum_tiles(const uint32_t *a, const uint32_t *b, int64_t steps, const Corner &corner, bool add) {
  constexpr int64_t LINE = LINES * sizeof(uint32_t);
  alignas(64) float scratch[TILE];
  const uint32_t *lower_a = a + steps * TILES, *right_b = b + steps * TILES;
  const Corner right = corner.at(0, LINES), lower = corner.at(LINES, 0), last = corner.at(LINES, LINES);
  finish_writing();
  BEGIN_SUMS(0, corner)
  if (RIGHT) {
    BEGIN_SUMS(1, right)
  }
  if (LOWER) {
    BEGIN_SUMS(2, lower)
  }
  if (RIGHT && LOWER) {
    BEGIN_SUMS(3, last)
  }
  for (int64_t s = 0; s < steps; s++, a += TILES, lower_a += TILES, b += TILES, right_b += TILES) {
    LOAD_A(0) LOAD_B(2) ADD_PRODUCTS
    LOAD_B(1) ADD_PRODUCTS
    LOAD_A(1) ADD_PRODUCTS
    LOAD_B(0) ADD_PRODUCTS
    LOAD_A(2) ADD_PRODUCTS
    LOAD_A(0) ADD_PRODUCTS
  }
  END_SUMS(0, corner)
  if (RIGHT) END_SUMS(1, right)
  if (LOWER) END_SUMS(2, lower)
  if (RIGHT && LOWER) END_SUMS(3, last)
}

#undef LOAD_A
#undef LOAD_B
#undef ADD_PRODUCTS
#undef BEGIN_SUMS
#undef END_SUMS

// Where tiles are made; each thread keeps its own.
struct Workspace {
  alignas(64) uint32_t a[MOST_ROWS * MOST_DEPTH / (LINES * DEPTH) * TILES];
  alignas(64) uint32_t b[MOST_COLUMNS * MOST_DEPTH / (LINES * DEPTH) * TILES];
};

inline int64_t in_steps(int64_t number, int64_t of) { return (number + of - 1) / of; }

// Four tiles of C, or as many as there are.
inline void sum_corner(const uint32_t *a, const uint32_t *b, int64_t steps, const Corner &corner, bool add) {
  const bool lower = corner.rows > LINES, right = corner.columns > LINES;
  if (lower && right) return sum_tiles<true, true>(a, b, steps, corner, add);
  if (lower) return sum_tiles<true, false>(a, b, steps, corner, add);
  if (right) return sum_tiles<false, true>(a, b, steps, corner, add);
  sum_tiles<false, false>(a, b, steps, corner, add);
}

// The product of one thread.
void multiply_here(const Strided &a, const Strided &b, const float *bias, bool add, float *c, int64_t stride,
                   const Totals &totals) {
  static thread_local const std::unique_ptr<Workspace> workspace(new Workspace);
  uint32_t *const of_a = workspace->a, *const of_b = workspace->b;
  std::vector<float> line(bias == nullptr ? 0 : in_steps(b.columns, LINES) * LINES);
  if (bias != nullptr) std::copy(bias, bias + b.columns, line.begin());
  const Corner whole{c, stride, a.rows, b.columns, bias == nullptr ? nullptr : line.data()};
  _tile_loadconfig(&SHAPES);
  for (int64_t column = 0; column < b.columns; column += MOST_COLUMNS) {
    const int64_t columns = std::min(MOST_COLUMNS, b.columns - column);
    for (int64_t k = 0; k < a.columns; k += MOST_DEPTH) {
      const int64_t depth = std::min(MOST_DEPTH, a.columns - k), steps = in_steps(depth, DEPTH);
      pack({b.x + k * b.row_stride + column * b.column_stride, b.column_stride, b.row_stride, columns, depth}, true,
           {}, of_b);
      for (int64_t row = 0; row < a.rows; row += MOST_ROWS) {
        const int64_t rows = std::min(MOST_ROWS, a.rows - row);
        pack({a.x + row * a.row_stride + k * a.column_stride, a.row_stride, a.column_stride, rows, depth}, false,
             column > 0 ? Totals{} : totals.from(row), of_a);
        for (int64_t i = 0; i < rows; i += 2 * LINES)
          for (int64_t j = 0; j < columns; j += 2 * LINES) {
            sum_corner(of_a + i / LINES * steps * TILES, of_b + j / LINES * steps * TILES, steps,
                       whole.at(row + i, column + j), add || k > 0);
          }
      }
    }
  }
  _tile_release();
}

}  // namespace

#pragma GCC pop_options

void multiply(const Strided &a, const Strided &b, const float *bias, bool add, int num_threads, float *c, int64_t stride,
              const Totals &totals) {
  const int64_t each = in_steps(in_steps(a.rows, 2 * LINES), std::max(num_threads, 1)) * 2 * LINES;
  in_parallel(in_steps(a.rows, each), num_threads, [&] {
    return [&](int64_t i) {
      Strided part = a;
      part.x += i * each * a.row_stride;
      part.rows = std::min(each, a.rows - i * each);
      multiply_here(part, b, bias, add, c + i * each * stride, stride, totals.from(i * each));
    };
  });
}

#else

bool can_multiply() { return false; }

void multiply(const Strided &, const Strided &, const float *, bool, int, float *, int64_t, const Totals &) {
  throw std::invalid_argument("this processor has no instructions for such products");
}

#endif

}  // namespace nnet3_compat
