// The innermost loop of products, once for each kind of processor: packed_matrix.cc includes it in a namespace of each,
// so there is no guard. WIDTH numbers are a vector of the processor; the sums of ROWS rows are as much as its registers
// hold.

constexpr int VECTORS = PANEL / WIDTH;
typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef float UnalignedVector __attribute__((vector_size(WIDTH * sizeof(float)), aligned(alignof(float))));

inline Vector vector_at(const float *values, int64_t number) {
  return reinterpret_cast<const UnalignedVector *>(values)[number];
}

template <int COUNT>
void compute(const Tile &tile) {
  Vector sums[COUNT][VECTORS];
  for (int r = 0; r < COUNT; r++)
    for (int v = 0; v < VECTORS; v++) sums[r][v] = vector_at(tile.bias, v);
  const float *weights = tile.panel;
  for (int64_t tap = 0; tap < tile.taps; tap++) {
    const float *x[COUNT];
    for (int r = 0; r < COUNT; r++) x[r] = tile.x[tap * tile.stride + r];
    for (int64_t k = 0; k < tile.dim; k++, weights += PANEL) {
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) {
        const Vector weight = vector_at(weights, v);
#pragma GCC unroll 8
        for (int r = 0; r < COUNT; r++) sums[r][v] += x[r][k] * weight;
      }
    }
  }
  const Vector zero = {};
  for (int r = 0; r < COUNT; r++) {
    float made[PANEL];
    for (int v = 0; v < VECTORS; v++) {
      Vector sum = sums[r][v];
      if (tile.rectify) sum = sum > zero ? sum : zero;
      for (const AddedRows *added = tile.added; added != tile.added_end; ++added)
        sum += added->scale * vector_at(added->rows[tile.row + r] + tile.column, v);
      if (tile.has_offset) sum += vector_at(tile.offset, v);
      std::memcpy(made + v * WIDTH, &sum, sizeof(sum));
    }
    std::memcpy(tile.y + r * tile.outputs, made, tile.width * sizeof(float));
  }
}

// All of one panel for ``count`` rows from tile.row on.
inline void compute_panel(Tile tile, int64_t count) {
  for (; count >= ROWS; count -= ROWS) {
    compute<ROWS>(tile);
    tile.advance(ROWS);
  }
  switch (count) {
    case 0: return;
    case 1: return compute<1>(tile);
    case 2: return compute<2>(tile);
    case 3: return compute<3>(tile);
    case 4: return compute<4>(tile);
    case 5: return compute<5>(tile);
    case 6: return compute<6>(tile);
    default: return compute<7>(tile);
  }
}
