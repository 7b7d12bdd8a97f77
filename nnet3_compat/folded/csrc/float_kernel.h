// The innermost loop of products in float32, once for each kind of processor; see finish_kernel.h. The sums of ROWS rows
// are as much as its registers hold.

// Where sums [count][PANEL] of rows come from, so far apart, and where they go: to be added to, or to ``output``.
struct Sums {
  const float *before;
  int64_t apart;
  float *after;
  const Output *output;
};

// ``bytes_ahead``: of ``ahead``, what is multiplied next, that are fetched per column.
template <int COUNT>
void add_products(const Rows &rows, const Piece &piece, int64_t row, const float *weights, const char *ahead,
                  int64_t bytes_ahead, const Sums &sums) {
  Vector sum[COUNT][VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < COUNT; r++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) sum[r][v] = vector_at(sums.before + r * sums.apart, v);
  // What the next panel reads and writes of these rows is fetched row by row: all at once would hold up the products.
  const int64_t columns_per_row = sums.output == nullptr ? 0 : std::max<int64_t>(1, piece.size() / COUNT);
  int64_t fetched = sums.output == nullptr ? COUNT : 0, until_next = columns_per_row;
  for (int64_t tap = piece.first_tap; tap < piece.last_tap; tap++) {
    const float *x[COUNT];
    for (int r = 0; r < COUNT; r++) x[r] = rows.x[tap * rows.stride + row + r];
    for (int64_t k = piece.begin; k < piece.end; k++, weights += PANEL, ahead += bytes_ahead) {
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
      if (--until_next == 0 && fetched < COUNT) {
        fetch_next_panel(*sums.output, row + fetched++);
        until_next = columns_per_row;
      }
    }
  }
  if (sums.output != nullptr) {
    finish_rows(sum, *sums.output, row);
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < COUNT; r++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) set_vector(sums.after + r * PANEL, v, sum[r][v]);
}

using AddProducts = void (*)(const Rows &, const Piece &, int64_t, const float *, const char *, int64_t, const Sums &);

template <int... COUNTS>
inline AddProducts products_of(int64_t count, std::integer_sequence<int, COUNTS...>) {
  static constexpr AddProducts ALL[] = {add_products<COUNTS + 1>...};
  return ALL[count - 1];
}

// A piece of one panel for rows begin to end - 1, whose sums are kept in ``kept`` between the first piece and the last.
inline void compute_piece(const Rows &rows, const Piece &piece, int64_t begin, int64_t end, const float *weights,
                          const float *next_weights, const Output &output, float *kept) {
  const int64_t count = end - begin, tiles = (count + ROWS - 1) / ROWS;
  const int64_t bytes_ahead = (PANEL * int64_t{sizeof(float)} - 1) / tiles + 1;
  for (int64_t tile = 0; tile < tiles; tile++) {
    const int64_t row = tile * count / tiles, next = (tile + 1) * count / tiles;
    float *const here = kept + row * PANEL;
    const Sums sums{piece.is_first ? output.bias : here, piece.is_first ? 0 : PANEL, here,
                    piece.is_last ? &output : nullptr};
    const char *const ahead = reinterpret_cast<const char *>(next_weights) + tile * bytes_ahead * piece.size();
    products_of(next - row, std::make_integer_sequence<int, ROWS>())(rows, piece, begin + row, weights, ahead,
                                                                     bytes_ahead, sums);
  }
}
