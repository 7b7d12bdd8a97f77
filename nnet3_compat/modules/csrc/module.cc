// Operations of training that are several passes over memory where they are put together from PyTorch's, for Python:
// without the interpreter's lock.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "product.h"
#include "rectified_norm.h"

namespace py = pybind11;
using namespace nnet3_compat;

namespace {

using Floats = py::array_t<float, py::array::c_style>;
using Doubles = py::array_t<double>;

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

Matrix size_of(const Floats &x) {
  expect(x.ndim() == 2, "x must be [rows, dim]");
  return {x.shape(0), x.shape(1)};
}

const float *vector_of(const Floats &values, const Matrix &size) {
  expect(values.ndim() == 1 && values.shape(0) == size.dim, "there must be a number for each column");
  return values.data();
}

void expect_like(const Floats &values, const Matrix &size) {
  expect(values.ndim() == 2 && values.shape(0) == size.rows && values.shape(1) == size.dim,
         "matrices that must have the same shape have not");
}

const float *matrix_or_none(const std::optional<Floats> &values, const Matrix &size) {
  if (!values) return nullptr;
  expect_like(*values, size);
  return values->data();
}

Mask mask_of(const std::optional<Floats> &values, const Matrix &size) {
  if (!values) return {nullptr, 1};
  expect(values->ndim() == 2 && values->shape(0) >= 1 && values->shape(1) == size.dim, "a mask must be [rows, dim]");
  return {values->data(), values->shape(0)};
}

py::tuple moments(const Floats &x, int num_threads) {
  const Matrix size = size_of(x);
  Doubles sum(size.dim), squares(size.dim), positive(size.dim);
  double *const to[] = {sum.mutable_data(), squares.mutable_data(), positive.mutable_data()};
  {
    const py::gil_scoped_release release;
    sum_rectified(x.data(), size, num_threads, to[0], to[1], to[2]);
  }
  return py::make_tuple(sum, squares, positive);
}

void normalize(const Floats &x, const Floats &mean, const Floats &scale, const std::optional<Floats> &mask,
               const std::optional<Floats> &bypass, float factor, Floats &y, int num_threads) {
  const Matrix size = size_of(x);
  expect_like(y, size);
  const float *const means = vector_of(mean, size), *const scales = vector_of(scale, size);
  const float *const added = matrix_or_none(bypass, size);
  const Mask factors = mask_of(mask, size);
  float *const to = y.mutable_data();
  const py::gil_scoped_release release;
  normalize_rectified(x.data(), size, means, scales, factors, added, factor, num_threads, to);
}

py::tuple gradient_moments(const Floats &dy, const Floats &x, const Floats &mean, const std::optional<Floats> &mask,
                           int num_threads) {
  const Matrix size = size_of(x);
  expect_like(dy, size);
  const float *const means = vector_of(mean, size);
  const Mask factors = mask_of(mask, size);
  Doubles sum(size.dim), product(size.dim);
  double *const to[] = {sum.mutable_data(), product.mutable_data()};
  {
    const py::gil_scoped_release release;
    sum_gradients(dy.data(), x.data(), size, means, factors, num_threads, to[0], to[1]);
  }
  return py::make_tuple(sum, product);
}

Doubles gradient(const Floats &dy, Floats &x, const Floats &mean, const Floats &scale, const Floats &offset,
                 const Floats &slope, const Floats &push, const std::optional<Floats> &mask, float factor,
                 std::optional<Floats> &of_bypass, int num_threads) {
  const Matrix size = size_of(x);
  expect_like(dy, size);
  const float *const lines[] = {vector_of(mean, size), vector_of(scale, size), vector_of(offset, size),
                                vector_of(slope, size), vector_of(push, size)};
  const Mask factors = mask_of(mask, size);
  float *bypass = nullptr;
  if (of_bypass) {
    expect_like(*of_bypass, size);
    bypass = of_bypass->mutable_data();
  }
  Doubles squares(size.dim);
  double *const to = squares.mutable_data();
  float *const made = x.mutable_data();
  {
    const py::gil_scoped_release release;
    rectified_gradient(dy.data(), made, size, lines[0], lines[1], lines[2], lines[3], lines[4], factors, factor,
                       num_threads, bypass, to);
  }
  return squares;
}

using Matrices = py::array_t<float>;  // of any strides

Strided strided(const Matrices &x) {
  expect(x.ndim() == 2, "a matrix must have two dimensions");
  const auto step = static_cast<py::ssize_t>(sizeof(float));
  const Strided made{x.data(), x.shape(0), x.shape(1), x.strides(0) / step, x.strides(1) / step};
  expect(made.row_stride == 1 || made.column_stride == 1, "rows or columns of a matrix must lie densely");
  return made;
}

double *totals_of(std::optional<Doubles> &values, int64_t rows, bool dense) {
  if (!values) return nullptr;
  expect(values->ndim() == 1 && values->shape(0) == rows && dense,
         "there must be a total for each row, which lies densely for squares, across for sums");
  return values->mutable_data();
}

void product(const Matrices &a, const Matrices &b, Matrices &c, const std::optional<Floats> &bias, bool add,
             int num_threads, std::optional<Doubles> &squares, std::optional<Doubles> &sums) {
  const Strided left = strided(a), right = strided(b), made = strided(c);
  expect(left.columns == right.rows && left.rows == made.rows && right.columns == made.columns,
         "the shapes of a product do not fit");
  expect(made.column_stride == 1, "the rows of a product must lie densely");
  expect(can_multiply(), "this processor has no instructions for such products");
  const float *const line = bias ? vector_of(*bias, {made.rows, made.columns}) : nullptr;
  Totals totals;
  totals.sums = totals_of(sums, left.rows, left.column_stride != 1);
  totals.squares = totals_of(squares, left.rows, left.column_stride == 1);
  float *const to = c.mutable_data();
  const py::gil_scoped_release release;
  multiply(left, right, line, add, num_threads, to, made.row_stride, totals);
}

}  // namespace

PYBIND11_MODULE(_csrc, m) {
  m.def("can_multiply", &can_multiply, "Whether this processor has the instructions for ``multiply``.");
  m.def("multiply", &product, py::arg("a").noconvert(), py::arg("b").noconvert(), py::arg("c").noconvert(),
        py::arg("bias").noconvert(), py::arg("add"), py::arg("num_threads"), py::arg("squares").noconvert() = py::none(),
        py::arg("sums").noconvert() = py::none(),
        "Puts A B + bias in c, or adds A B to it; of a and b rows or columns lie densely, of c rows. Adds the sums of "
        "squares of a's rows to squares, where these lie densely, and their sums to sums, where columns do.");
  m.def("rectified_moments", &moments, py::arg("x").noconvert(), py::arg("num_threads"),
        "Per column of max(x, 0): sums, sums of squares, and the number of rows where it is above zero.");
  m.def("normalize_rectified", &normalize, py::arg("x").noconvert(), py::arg("mean"), py::arg("scale"),
        py::arg("mask").noconvert(), py::arg("bypass").noconvert(), py::arg("factor"), py::arg("y").noconvert(),
        py::arg("num_threads"), "y = scale (max(x, 0) - mean) mask + factor bypass.");
  m.def("gradient_moments", &gradient_moments, py::arg("dy").noconvert(), py::arg("x").noconvert(), py::arg("mean"),
        py::arg("mask").noconvert(), py::arg("num_threads"),
        "Per column the sums of h = dy mask and of h (max(x, 0) - mean).");
  m.def("rectified_gradient", &gradient, py::arg("dy").noconvert(), py::arg("x").noconvert(), py::arg("mean"),
        py::arg("scale"), py::arg("offset"), py::arg("slope"), py::arg("push"), py::arg("mask").noconvert(),
        py::arg("factor"), py::arg("of_bypass").noconvert(), py::arg("num_threads"),
        "Puts the gradient of x in its place, and factor dy in of_bypass; the squares of that of max(x, 0) per column.");
}
