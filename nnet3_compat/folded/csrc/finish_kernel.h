// What becomes of sums, once for each kind of processor: float_matrix.cc and word_matrix.cc include it in a namespace of
// each, so there is no guard. WIDTH numbers are a vector of the processor.

constexpr int VECTORS = PANEL / WIDTH;
typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef float UnalignedVector __attribute__((vector_size(WIDTH * sizeof(float)), aligned(alignof(float))));

inline Vector vector_at(const float *values, int64_t number) {
  return reinterpret_cast<const UnalignedVector *>(values)[number];
}

// What finish_row() will read and write of the next panel.
inline void fetch_next_panel(const Output &output, int64_t row) {
  constexpr int64_t NUMBERS = LINE / sizeof(float);
  for (int64_t i = PANEL; i < 2 * PANEL; i += NUMBERS) {
    for (const AddedRows *added = output.added; added != output.added_end; ++added)
      fetch(added->rows[row] + output.column + i);
    fetch_to_write(output.y + row * output.stride + i);
  }
}

// One row of a panel's sums, W x + b.
inline void finish_row(const Vector *sums, const Output &output, int64_t row) {
  const Vector zero = {};
  fetch_next_panel(output, row);
  float made[PANEL];
  float *const to = output.y + row * output.stride;
  float *const target = output.width == PANEL ? to : made;
  for (int v = 0; v < VECTORS; v++) {
    Vector sum = sums[v];
    if (output.rectify) sum = zero > sum ? zero : sum;  // what is not a number stays so
    for (const AddedRows *added = output.added; added != output.added_end; ++added)
      sum += added->scale * vector_at(added->rows[row] + output.column, v);
    if (output.has_offset) sum += vector_at(output.offset, v);
    reinterpret_cast<UnalignedVector *>(target)[v] = sum;
  }
  if (target == made) std::memcpy(to, made, output.width * sizeof(float));
}
