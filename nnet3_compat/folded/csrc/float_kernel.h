// The innermost loop of products in float32, once for each kind of processor; see finish_kernel.h. The sums of ROWS rows
// are as much as its registers hold.

// sums [COUNT][PANEL] += columns begin to end - 1 of each tap; panel: their weights.
template <int COUNT>
void add_products(const float *const *x, int64_t stride, int64_t taps, int64_t begin, int64_t end, const float *panel,
                  float *sums) {
  Vector sum[COUNT][VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < COUNT; r++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) sum[r][v] = vector_at(sums + r * PANEL, v);
  for (int64_t tap = 0; tap < taps; tap++) {
    const float *row[COUNT];
    for (int r = 0; r < COUNT; r++) row[r] = x[tap * stride + r];
    for (int64_t k = begin; k < end; k++, panel += PANEL) {
      Vector weight[VECTORS];
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) weight[v] = vector_at(panel, v);
#pragma GCC unroll 16
      for (int r = 0; r < COUNT; r++) {
        const float number = row[r][k];
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) sum[r][v] += number * weight[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < COUNT; r++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) reinterpret_cast<UnalignedVector *>(sums + r * PANEL)[v] = sum[r][v];
}

using AddProducts = void (*)(const float *const *, int64_t, int64_t, int64_t, int64_t, const float *, float *);

template <int... COUNTS>
inline AddProducts products_of(int64_t count, std::integer_sequence<int, COUNTS...>) {
  static constexpr AddProducts ALL[] = {add_products<COUNTS + 1>...};
  return ALL[count - 1];
}

// All of one panel for rows begin to end - 1, of which sums has room for as many.
inline void compute_panel(const Rows &rows, int64_t begin, int64_t end, const float *panel, const Output &output,
                          float *sums) {
  const int64_t count = end - begin, tiles = (count + ROWS - 1) / ROWS;
  for (int64_t r = 0; r < count; r++)
    for (int v = 0; v < VECTORS; v++)
      reinterpret_cast<UnalignedVector *>(sums + r * PANEL)[v] = vector_at(output.bias, v);
  const bool at_once = rows.taps * rows.dim <= DEPTH;
  const int64_t pieces = at_once ? 1 : (rows.dim + DEPTH - 1) / DEPTH;
  for (int64_t tap = 0; tap < (at_once ? 1 : rows.taps); tap++)
    for (int64_t piece = 0; piece < pieces; piece++) {
      const int64_t first = piece * rows.dim / pieces, last = (piece + 1) * rows.dim / pieces;
      const float *const weights = panel + (tap * rows.dim + first) * PANEL;
      for (int64_t tile = 0; tile < tiles; tile++) {
        const int64_t row = tile * count / tiles, next = (tile + 1) * count / tiles;
        const AddProducts add = products_of(next - row, std::make_integer_sequence<int, ROWS>());
        add(rows.x + tap * rows.stride + begin + row, rows.stride, at_once ? rows.taps : 1, first, last, weights,
            sums + row * PANEL);
      }
    }
  for (int64_t r = 0; r < count; r++) {
    Vector sum[VECTORS];
    for (int v = 0; v < VECTORS; v++) sum[v] = vector_at(sums + r * PANEL, v);
    finish_row(sum, output, begin + r);
  }
}
