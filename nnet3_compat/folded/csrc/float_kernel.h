// The innermost loop of products in float32, once for each kind of processor; see finish_kernel.h. The sums of ROWS rows
// are as much as its registers hold.

// Columns begin to end - 1 of each tap, for a panel's weights of which more follow.
struct Piece {
  const float *const *x;
  int64_t stride, taps, begin, end;
  const float *weights;
  int64_t bytes_ahead;  // of what follows, that are fetched per column
  int64_t size() const { return taps * (end - begin); }
};

// Where sums [count][PANEL] of rows come from, so far apart, and where they go: to be added to, or to ``output``.
struct Sums {
  const float *before;
  int64_t apart;
  float *after;
  const Output *output;
};

template <int COUNT>
void add_products(const Piece &piece, int64_t row, const char *ahead, const Sums &sums) {
  Vector sum[COUNT][VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < COUNT; r++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) sum[r][v] = vector_at(sums.before + r * sums.apart, v);
  const float *weights = piece.weights;
  for (int64_t tap = 0; tap < piece.taps; tap++) {
    const float *x[COUNT];
    for (int r = 0; r < COUNT; r++) x[r] = piece.x[tap * piece.stride + row + r];
    for (int64_t k = piece.begin; k < piece.end; k++, weights += PANEL, ahead += piece.bytes_ahead) {
      Vector weight[VECTORS];
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) weight[v] = vector_at(weights, v);
      fetch(ahead);
#pragma GCC unroll 16
      for (int r = 0; r < COUNT; r++) {
        const float number = x[r][k];
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) sum[r][v] += number * weight[v];
      }
    }
  }
  if (sums.output != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < COUNT; r++) finish_row(sum[r], *sums.output, row + r);
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < COUNT; r++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) reinterpret_cast<UnalignedVector *>(sums.after + r * PANEL)[v] = sum[r][v];
}

using AddProducts = void (*)(const Piece &, int64_t, const char *, const Sums &);

template <int... COUNTS>
inline AddProducts products_of(int64_t count, std::integer_sequence<int, COUNTS...>) {
  static constexpr AddProducts ALL[] = {add_products<COUNTS + 1>...};
  return ALL[count - 1];
}

// All of one panel for rows begin to end - 1, of which sums has room for as many.
inline void compute_panel(const Rows &rows, int64_t begin, int64_t end, const float *panel, const Output &output,
                          float *sums) {
  const int64_t count = end - begin, tiles = (count + ROWS - 1) / ROWS;
  const bool at_once = rows.taps * rows.dim <= DEPTH;
  const int64_t per_tap = at_once ? 1 : (rows.dim + DEPTH - 1) / DEPTH, pieces = at_once ? 1 : rows.taps * per_tap;
  Piece piece{rows.x, rows.stride, at_once ? rows.taps : 1, 0, 0, panel, (PANEL * int64_t{sizeof(float)} - 1) / tiles + 1};
  for (int64_t number = 0; number < pieces; number++) {
    piece.x = rows.x + number / per_tap * rows.stride;
    piece.begin = number % per_tap * rows.dim / per_tap;
    piece.end = (number % per_tap + 1) * rows.dim / per_tap;
    const float *const following = piece.weights + piece.size() * PANEL;
    for (int64_t tile = 0; tile < tiles; tile++) {
      const int64_t row = tile * count / tiles, next = (tile + 1) * count / tiles;
      float *const here = sums + row * PANEL;
      const Sums of_rows{number == 0 ? output.bias : here, number == 0 ? 0 : PANEL, here,
                         number == pieces - 1 ? &output : nullptr};
      const char *const ahead = reinterpret_cast<const char *>(following) + tile * piece.bytes_ahead * piece.size();
      products_of(next - row, std::make_integer_sequence<int, ROWS>())(piece, begin + row, ahead, of_rows);
    }
    piece.weights = following;
  }
}
