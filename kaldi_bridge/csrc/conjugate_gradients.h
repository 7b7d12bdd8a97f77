// Systems of linear equations solved by conjugate gradients, in few iterations (matrix/optimization.cc, LinearCgd).

#pragma once

#include <cstdint>
#include <vector>

namespace kaldi_bridge {

// Nearly the solution of A x = b, A [n, n] symmetric and positive definite, given as its lower triangle row by row.
//
// After few iterations the result depends on the details, so these are Kaldi's: the step from -p'r, the residual anew
// whenever its norm has changed a hundredfold. False where iterations made it worse: then `x` is what it was.
bool conjugate_gradients(const double *triangle, const double *b, int64_t n, int64_t iterations, double *x);

}  // namespace kaldi_bridge
