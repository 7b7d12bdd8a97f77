// What becomes of sums, once for each kind of processor: float_matrix.cc and word_matrix.cc include it in a namespace of
// each, so there is no guard. WIDTH numbers are a vector of the processor.

constexpr int VECTORS = PANEL / WIDTH;
typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef float UnalignedVector __attribute__((vector_size(WIDTH * sizeof(float)), aligned(alignof(float))));

inline Vector vector_at(const float *values, int64_t number) {
  return reinterpret_cast<const UnalignedVector *>(values)[number];
}

inline void set_vector(float *values, int64_t number, Vector vector) {
  reinterpret_cast<UnalignedVector *>(values)[number] = vector;
}

// What finish_rows() will read and write of a row of the next panel.
inline void fetch_next_panel(const Output &output, int64_t row) {
  constexpr int64_t NUMBERS = LINE / sizeof(float);
  for (int64_t i = PANEL; i < 2 * PANEL; i += NUMBERS) {
    for (const AddedRows *added = output.added; added != output.added_end; ++added)
      fetch(added->rows[row] + output.column + i);
    fetch_to_write(output.y + row * output.stride + i);
  }
}

// Rows of a panel's sums, W x + b, which stay in registers.
template <int COUNT>
__attribute__((always_inline)) inline void finish_rows(Vector (&sum)[COUNT][VECTORS], const Output &output,
                                                       int64_t row) {
  if (output.rectify) {
    const Vector zero = {};
#pragma GCC unroll 16
    for (int r = 0; r < COUNT; r++)
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) sum[r][v] = zero > sum[r][v] ? zero : sum[r][v];  // no number stays none
  }
  if (output.scaled.scales != nullptr) {
    int64_t of = row % output.scaled.period;
#pragma GCC unroll 16
    for (int r = 0; r < COUNT; r++) {
      const int64_t place = of * output.stride + output.column;
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++)
        sum[r][v] = vector_at(output.scaled.scales + place, v) * sum[r][v] + vector_at(output.scaled.offsets + place, v);
      of = of + 1 == output.scaled.period ? 0 : of + 1;
    }
  }
  for (const AddedRows *added = output.added; added != output.added_end; ++added)
#pragma GCC unroll 16
    for (int r = 0; r < COUNT; r++) {
      const float *const from = added->rows[row + r] + output.column;
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) sum[r][v] += added->scale * vector_at(from, v);
    }
  if (output.has_offset) {
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) {
      const Vector offset = vector_at(output.offset, v);
#pragma GCC unroll 16
      for (int r = 0; r < COUNT; r++) sum[r][v] += offset;
    }
  }
  float *to = output.y + row * output.stride;
  if (output.width == PANEL) {
#pragma GCC unroll 16
    for (int r = 0; r < COUNT; r++, to += output.stride)
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) set_vector(to, v, sum[r][v]);
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < COUNT; r++, to += output.stride) {
    float made[PANEL];
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) set_vector(made, v, sum[r][v]);
    std::memcpy(to, made, output.width * sizeof(float));
  }
}
