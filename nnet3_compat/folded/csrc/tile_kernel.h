// The innermost loop of products, once for each kind of processor: packed_matrix.cc includes it in a namespace of each,
// so there is no guard. ROWS rows with two vectors of sums each are as much as the processor's registers hold.

typedef float Half __attribute__((vector_size(PANEL / 2 * sizeof(float))));
typedef float UnalignedHalf __attribute__((vector_size(PANEL / 2 * sizeof(float)), aligned(alignof(float))));

inline Half half(const float *values, int64_t number) { return reinterpret_cast<const UnalignedHalf *>(values)[number]; }

template <int COUNT>
void compute(const Tile &tile) {
  Half sums[COUNT][2];
  for (int r = 0; r < COUNT; r++)
    for (int h = 0; h < 2; h++) sums[r][h] = half(tile.bias, h);
  const float *weights = tile.panel;
  for (int64_t tap = 0; tap < tile.taps; tap++) {
    const float *x[COUNT];
    for (int r = 0; r < COUNT; r++) x[r] = tile.x[tap * tile.stride + r];
    for (int64_t k = 0; k < tile.dim; k++, weights += PANEL) {
      const Half first = half(weights, 0), second = half(weights, 1);
#pragma GCC unroll 8
      for (int r = 0; r < COUNT; r++) {
        sums[r][0] += x[r][k] * first;
        sums[r][1] += x[r][k] * second;
      }
    }
  }
  const Half zero = {};
  for (int r = 0; r < COUNT; r++) {
    float made[PANEL];
    for (int h = 0; h < 2; h++) {
      Half sum = sums[r][h];
      if (tile.rectify) sum = sum > zero ? sum : zero;
      for (const AddedRows *added = tile.added; added != tile.added_end; ++added)
        sum += added->scale * half(added->rows[tile.row + r] + tile.column, h);
      if (tile.has_offset) sum += half(tile.offset, h);
      std::memcpy(made + h * (PANEL / 2), &sum, sizeof(sum));
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
