// All that products of int8 are made by, once for each kind of processor; see finish_kernel.h. Before it stand WIDTH, ROWS,
// Number, and Register with DOT(sums, x, w), which adds to each of the sums the products of the numbers of a word of x and
// of one of w.

#include "finish_kernel.h"
#include "int8_rows.h"

inline IntVector dot(IntVector sums, IntVector x, IntVector w) {
  return (IntVector)DOT((Register)sums, (Register)x, (Register)w);
}

#include "word_kernel.h"
#undef DOT
