// Rows rounded to integers and what becomes of sums of integers, once for each kind of processor; see finish_kernel.h.
// Number is what an integer of a row is kept in.

typedef int32_t IntVector __attribute__((vector_size(WIDTH * sizeof(int32_t))));
typedef int32_t UnalignedIntVector __attribute__((vector_size(WIDTH * sizeof(int32_t)), aligned(alignof(int32_t))));
typedef Number Numbers __attribute__((vector_size(WIDTH * sizeof(Number)), aligned(1)));

// Rows begin to end - 1, each to words of x.
inline void pack_rows(const Rows &rows, int64_t begin, int64_t end, int64_t words, uint32_t *x, RowScale *scales) {
  for (int64_t r = begin; r < end; r++, x += words) {
    float low = rows.x[r][0], high = low, strange = 0;
    for (int64_t tap = 0; tap < rows.taps; tap++) {
      const float *const row = rows.x[tap * rows.stride + r];
      Vector lows = {}, highs, zeros = {};
      lows += low;
      highs = lows;
      int64_t k = 0;
      for (; k + WIDTH <= rows.dim; k += WIDTH) {
        const Vector here = vector_at(row + k, 0);
        lows = here < lows ? here : lows;
        highs = here > highs ? here : highs;
        zeros += here * 0.0f;
      }
      for (int i = 0; i < WIDTH; i++) {
        low = lows[i] < low ? lows[i] : low;
        high = highs[i] > high ? highs[i] : high;
        strange += zeros[i];
      }
      for (; k < rows.dim; k++) {
        low = row[k] < low ? row[k] : low;
        high = row[k] > high ? row[k] : high;
        strange += row[k] * 0.0f;
      }
    }
    const RowScale scale = RowScale::of(low, high, strange);
    scales[r - begin] = scale;
    Number *to = reinterpret_cast<Number *>(x);
    for (int64_t tap = 0; tap < rows.taps; tap++, to += rows.dim) {
      const float *const row = rows.x[tap * rows.stride + r];
      int64_t k = 0;
      for (; k + WIDTH <= rows.dim; k += WIDTH) {
        const Vector steps = (vector_at(row + k, 0) - scale.begin) * scale.steps;
        *reinterpret_cast<Numbers *>(to + k) = __builtin_convertvector(__builtin_convertvector(steps, IntVector), Numbers);
      }
      for (; k < rows.dim; k++) to[k] = static_cast<Number>(static_cast<int32_t>((row[k] - scale.begin) * scale.steps));
    }
  }
}

// Rows row to row + count - 1, of which scales has as many.
inline void finish(const uint32_t *sums, const RowScale *scales, const Weights &weights, const Output &output, int64_t row,
                   int64_t count) {
  for (int64_t r = 0; r < count; r++, sums += PANEL) {
    Vector made[1][VECTORS];
    for (int v = 0; v < VECTORS; v++) {
      const Vector sum = __builtin_convertvector(reinterpret_cast<const UnalignedIntVector *>(sums)[v], Vector);
      made[0][v] = scales[r].step * (vector_at(weights.scales, v) * sum) +
                (scales[r].low * vector_at(weights.sums, v) + vector_at(output.bias, v));
    }
    fetch_next_panel(output, row + r);
    finish_rows(made, output, row + r);
  }
}
