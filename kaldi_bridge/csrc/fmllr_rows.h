// Estimation of fMLLR transforms row by row (transform/fmllr-diag-gmm.cc, FmllrInnerUpdate).

#pragma once

#include <cstdint>

namespace kaldi_bridge {

// Which of the two roots alpha gives the larger  beta log |alpha e1 + e2| - 1/2 alpha^2 e1.
double step_size(double e1, double e2, double beta);

// Makes each row of a transform [dim, dim + 1] the best one while the others stay, one after the other.
//
//   inverses: of the quadratic statistics of each row [dim, dim + 1, dim + 1]; linear: those statistics [dim, dim + 1].
//   shifts: the products of both [dim, dim + 1]; beta: the count.
//   cofactors: the transposed inverse of the transform's square part [dim, dim]; is kept so.
void update_rows(int64_t dim, const double *inverses, const double *linear, const double *shifts, double beta,
                 double *cofactors, double *transform);

}  // namespace kaldi_bridge
