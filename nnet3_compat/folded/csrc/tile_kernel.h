// Products of words by AMX: tiles of 16 rows and 16 words, of which 2 x 2 are summed at a time. Before it stands
// DOT(sums, x, w), the instruction for numbers of one kind, of the numbers of tiles.

// The registers: 0 to 3 sums, 4 and 5 rows, 6 and 7 weights; all of 16 rows of 64 bytes. (Static, as the compiler does not
// know how much of it the instruction reads.)
struct alignas(64) Shapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
const Shapes SHAPES;

inline void begin_tiles() { _tile_loadconfig(&SHAPES); }

inline void end_tiles() { _tile_release(); }

// sums [count][PANEL]; x and sums have room for a multiple of 16 rows.
inline void dot_panel(const uint32_t *x, int64_t count, int64_t words, const uint32_t *panel, uint32_t *sums) {
  constexpr int64_t ROW = PANEL * sizeof(uint32_t), HALF = PANEL / 2;
  const int64_t bytes = words * sizeof(uint32_t);
  for (int64_t row = 0; row < count; row += 32) {
    const bool both = count - row > 16;
    const uint32_t *const upper = x + row * words, *const lower = upper + 16 * words;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t k = 0; k < words; k += 16) {
      _tile_loadd(6, panel + k * PANEL, ROW);
      _tile_loadd(7, panel + k * PANEL + HALF, ROW);
      _tile_loadd(4, upper + k, bytes);
      DOT(0, 4, 6);
      DOT(1, 4, 7);
      if (both) {
        _tile_loadd(5, lower + k, bytes);
        DOT(2, 5, 6);
        DOT(3, 5, 7);
      }
    }
    uint32_t *const to = sums + row * PANEL;
    _tile_stored(0, to, ROW);
    _tile_stored(1, to + HALF, ROW);
    if (both) {
      _tile_stored(2, to + 16 * PANEL, ROW);
      _tile_stored(3, to + 16 * PANEL + HALF, ROW);
    }
  }
}
