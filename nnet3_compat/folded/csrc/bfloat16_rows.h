// Rows rounded to bfloat16 and what becomes of sums of float32, for AVX512_BF16; see finish_kernel.h.

typedef int32_t IntVector __attribute__((vector_size(WIDTH * sizeof(int32_t))));
typedef int32_t UnalignedIntVector __attribute__((vector_size(WIDTH * sizeof(int32_t)), aligned(alignof(int32_t))));

inline void pack_rows(const Rows &rows, int64_t begin, int64_t end, int64_t words, uint32_t *x, RowScale *) {
  for (int64_t r = begin; r < end; r++, x += words) {
    uint16_t *to = reinterpret_cast<uint16_t *>(x);
    for (int64_t tap = 0; tap < rows.taps; tap++, to += rows.dim) {
      const float *const row = rows.x[tap * rows.stride + r];
      for (int64_t k = 0; k < rows.dim; k += WIDTH) {
        const __mmask16 mask = rows.dim - k < WIDTH ? (1u << (rows.dim - k)) - 1 : 0xffffu;
        const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, row + k));
        _mm256_mask_storeu_epi16(to + k, mask, rounded);
      }
    }
  }
}

inline void finish(const uint32_t *sums, const RowScale *, const Weights &, const Output &output, int64_t row,
                   int64_t count) {
  for (int64_t r = 0; r < count; r++, sums += PANEL) {
    Vector made[1][VECTORS];
    for (int v = 0; v < VECTORS; v++)
      made[0][v] = vector_at(reinterpret_cast<const float *>(sums), v) + vector_at(output.bias, v);
    fetch_next_panel(output, row + r);
    finish_rows(made, output, row + r);
  }
}
