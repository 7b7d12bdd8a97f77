// The innermost loop of products of words, once for each kind of processor; see finish_kernel.h. Before it stands
// dot(sums, x, w): each of the sums plus the products of the numbers of a word of x and one of w. The sums of ROWS rows
// are as much as the registers hold.

inline IntVector words_at(const uint32_t *words, int64_t number) {
  return reinterpret_cast<const UnalignedIntVector *>(words)[number];
}

// sums [COUNT][PANEL] of rows of so many words.
template <int COUNT>
void dot_rows(const uint32_t *x, int64_t words, const uint32_t *panel, uint32_t *sums) {
  IntVector sum[COUNT][VECTORS] = {};
  for (int64_t k = 0; k < words; k++, panel += PANEL) {
    IntVector weight[VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) weight[v] = words_at(panel, v);
#pragma GCC unroll 16
    for (int r = 0; r < COUNT; r++) {
      const IntVector word = IntVector{} + static_cast<int32_t>(x[r * words + k]);
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) sum[r][v] = dot(sum[r][v], word, weight[v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < COUNT; r++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) reinterpret_cast<UnalignedIntVector *>(sums + r * PANEL)[v] = sum[r][v];
}

using DotRows = void (*)(const uint32_t *, int64_t, const uint32_t *, uint32_t *);

template <int... COUNTS>
inline DotRows rows_of(int64_t count, std::integer_sequence<int, COUNTS...>) {
  static constexpr DotRows ALL[] = {dot_rows<COUNTS + 1>...};
  return ALL[count - 1];
}

inline void dot_panel(const uint32_t *x, int64_t count, int64_t words, const uint32_t *panel, uint32_t *sums) {
  const int64_t tiles = (count + ROWS - 1) / ROWS;
  for (int64_t tile = 0; tile < tiles; tile++) {
    const int64_t row = tile * count / tiles, next = (tile + 1) * count / tiles;
    rows_of(next - row, std::make_integer_sequence<int, ROWS>())(x + row * words, words, panel, sums + row * PANEL);
  }
}
