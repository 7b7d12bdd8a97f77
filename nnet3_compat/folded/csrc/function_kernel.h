// Functions with exponentials, once for each kind of processor: function_code.cc includes it in a namespace of each, so there
// is no guard. WIDTH numbers are a vector of the processor.

typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef float UnalignedVector __attribute__((vector_size(WIDTH * sizeof(float)), aligned(alignof(float))));
typedef int32_t IntVector __attribute__((vector_size(WIDTH * sizeof(int32_t))));

// ``count`` numbers, or as many as a vector has; the others are zero.
inline Vector load(const float *x, int64_t count) {
  if (count >= WIDTH) return *reinterpret_cast<const UnalignedVector *>(x);
  Vector found = {};
  std::memcpy(&found, x, count * sizeof(float));
  return found;
}

inline void store(const Vector &made, float *y, int64_t count) {
  if (count >= WIDTH)
    *reinterpret_cast<UnalignedVector *>(y) = made;
  else
    std::memcpy(y, &made, count * sizeof(float));
}

// e^x = 2^n e^r, n = round(x / log 2), with Cephes' polynomial for e^r (2 units in the last place); within the range of
// normal numbers. What is not a number stays so.
inline Vector exponential(Vector x) {
  constexpr float MOST = 88.0f, LEAST = -87.0f, LOG2_E = 1.44269504f, LOG_2 = 0.693359375f, LOG_2_REST = -2.12194440e-4f;
  constexpr float SHIFT = 0x1.8p23f + 127;  // a sum with it has n and an exponent's bias as its last bits
  const Vector zero = {};
  x = x > MOST ? zero + MOST : x;
  x = x < LEAST ? zero + LEAST : x;
  const Vector shifted = x * LOG2_E + SHIFT, n = shifted - SHIFT;
  const Vector r = x - n * LOG_2 - n * LOG_2_REST;
  Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return p * (Vector)((IntVector)shifted << 23);
}

inline Vector sigmoid(const Vector &x) { return 1.0f / (1.0f + exponential(-x)); }

inline Vector hyperbolic_tangent(const Vector &x) {
  const IntVector sign = (IntVector)x & INT32_MIN;
  const Vector e = exponential(-2.0f * (Vector)((IntVector)x ^ sign));
  return (Vector)((IntVector)((1.0f - e) / (1.0f + e)) | sign);
}

inline void sigmoids(const float *x, int64_t dim, float *y) {
  for (int64_t i = 0; i < dim; i += WIDTH) store(sigmoid(load(x + i, dim - i)), y + i, dim - i);
}

inline void tangents(const float *x, int64_t dim, float *y) {
  for (int64_t i = 0; i < dim; i += WIDTH) store(hyperbolic_tangent(load(x + i, dim - i)), y + i, dim - i);
}

// Of x - most, which are not above zero; their sum.
inline float exponentials(const float *x, float most, int64_t dim, float *y) {
  float sum = 0;
  for (int64_t begin = 0; begin < dim; begin += SUMMED) {  // sums of many small numbers would lose some
    const int64_t end = begin + SUMMED < dim ? begin + SUMMED : dim;
    Vector sums = {};
    int64_t i = begin;
    for (; i + WIDTH <= end; i += WIDTH) {
      const Vector e = exponential(load(x + i, WIDTH) - most);
      sums += e;
      store(e, y + i, WIDTH);
    }
    for (int lane = 0; lane < WIDTH; lane++) sum += sums[lane];
    if (i == end) continue;
    store(exponential(load(x + i, end - i) - most), y + i, end - i);
    for (; i < end; i++) sum += y[i];
  }
  return sum;
}

inline float product(const float *x, const float *y, int64_t dim) {
  Vector sums = {};
  for (int64_t i = 0; i < dim; i += WIDTH) sums += load(x + i, dim - i) * load(y + i, dim - i);
  float sum = 0;
  for (int lane = 0; lane < WIDTH; lane++) sum += sums[lane];
  return sum;
}

inline void add(const float *x, float scale, int64_t dim, float *y) {
  for (int64_t i = 0; i < dim; i += WIDTH) store(load(y + i, dim - i) + scale * load(x + i, dim - i), y + i, dim - i);
}

// See functions.h.
inline void lstm(const float *gates, const float *before, const float *weights, const float *scales, int64_t cells,
                 float *y) {
  const float scale_i = scales[0], scale_f = scales[1], scale_o = scales[2];
  for (int64_t i = 0; i < cells; i += WIDTH) {
    const int64_t count = cells - i;
    const auto row = [&](const float *rows, int64_t number) { return load(rows + number * cells + i, count); };
    const Vector old = row(before, 0);
    const Vector in = scale_i * sigmoid(row(gates, 0) + row(weights, 0) * old);
    const Vector kept = scale_f * sigmoid(row(gates, 1) + row(weights, 1) * old);
    const Vector cell = kept * old + in * hyperbolic_tangent(row(gates, 2));
    const Vector out = scale_o * sigmoid(row(gates, 3) + row(weights, 2) * cell);
    store(cell, y + i, count);
    store(out * hyperbolic_tangent(cell), y + cells + i, count);
  }
}

// h = tanh(x + added), c = (1 - z) h + z c'; ``added``: w c' where there are weights w, else what is given.
inline void gated_update(const float *z, const float *x, const float *before, const float *weights, const float *given,
                         int64_t cells, float *y) {
  for (int64_t i = 0; i < cells; i += WIDTH) {
    const int64_t count = cells - i;
    const Vector old = load(before + i, count);
    const Vector added = weights != nullptr ? load(weights + i, count) * old : load(given + i, count);
    const Vector state = hyperbolic_tangent(load(x + i, count) + added);
    store(state, y + i, count);
    store(state + load(z + i, count) * (old - state), y + cells + i, count);
  }
}

constexpr FunctionCode CODE{sigmoids, tangents, exponentials, product, add, lstm, gated_update};
