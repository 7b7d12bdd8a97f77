#include "ivector_module.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "conjugate_gradients.h"
#include "fmllr_rows.h"
#include "full_gaussians.h"
#include "gaussian_shares.h"
#include "ivector_statistics.h"
#include "mixture_sums.h"
#include "pruned_posteriors.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

template <class T>
using Dense = py::array_t<T, py::array::c_style | py::array::forcecast>;

template <class T>
py::array_t<T> to_array(const std::vector<T> &values) {
  return py::array_t<T>(values.size(), values.data());
}

py::object solved(const Dense<double> &triangle, const Dense<double> &b, const Dense<double> &start, int64_t iterations) {
  const int64_t n = b.size();
  if (triangle.size() != n * (n + 1) / 2 || start.size() != n)
    throw std::invalid_argument("the matrix and the vectors do not fit together");
  py::array_t<double> x(n);
  std::copy(start.data(), start.data() + n, x.mutable_data());
  if (!conjugate_gradients(triangle.data(), b.data(), n, iterations, x.mutable_data())) return py::none();
  return x;
}

py::tuple pruned(const Dense<float> &log_likelihoods, int64_t most, const Dense<float> &least) {
  if (log_likelihoods.ndim() != 2 || log_likelihoods.shape(1) < 1 || least.size() != log_likelihoods.shape(0) || most < 1)
    throw std::invalid_argument("log-likelihoods and thresholds do not fit together");
  const PrunedPosteriors made = pruned_posteriors(log_likelihoods.data(), log_likelihoods.shape(0),
                                                  log_likelihoods.shape(1), most, least.data());
  return py::make_tuple(to_array(made.counts), to_array(made.gaussians), to_array(made.posteriors),
                        to_array(made.likelihoods));
}

py::tuple shares(const Dense<float> &constants, const Dense<float> &scaled_means, const Dense<float> &inverse_variances,
                 const Dense<float> &feats, const Dense<int64_t> &frames, const Dense<int64_t> &firsts,
                 const Dense<int64_t> &counts) {
  const int64_t size = constants.size(), dim = feats.ndim() == 2 ? feats.shape(1) : 0;
  if (dim < 1 || scaled_means.size() != size * dim || inverse_variances.size() != size * dim ||
      frames.size() != firsts.size() || frames.size() != counts.size())
    throw std::invalid_argument("features, Gaussians and pairs do not fit together");
  std::vector<FrameOfPdf> pairs;
  pairs.reserve(frames.size());
  for (py::ssize_t i = 0; i < frames.size(); i++) {
    const int64_t frame = frames.data()[i], first = firsts.data()[i], count = counts.data()[i];
    if (frame < 0 || frame >= feats.shape(0) || first < 0 || count < 1 || first > size - count)
      throw std::invalid_argument("a pair has no such frame or Gaussians");
    pairs.push_back({feats.data() + frame * dim, first, count});
  }
  GaussianShares made;
  {
    py::gil_scoped_release release;
    made = gaussian_shares({constants.data(), scaled_means.data(), inverse_variances.data(), dim}, pairs);
  }
  return py::make_tuple(to_array(made.shares), to_array(made.log_likelihoods));
}

py::array_t<float> full_scores(const Dense<float> &constants, const Dense<float> &scaled_means,
                               const Dense<float> &precisions, const Dense<float> &feats, const Dense<int64_t> &frames,
                               const Dense<int64_t> &gaussians) {
  const int64_t size = constants.size(), dim = feats.ndim() == 2 ? feats.shape(1) : 0;
  if (dim < 1 || scaled_means.size() != size * dim || precisions.size() != size * (dim * (dim + 1) / 2) ||
      frames.size() != gaussians.size())
    throw std::invalid_argument("features, Gaussians and pairs do not fit together");
  std::vector<FrameOfGaussian> pairs;
  pairs.reserve(frames.size());
  for (py::ssize_t i = 0; i < frames.size(); i++) {
    const int64_t frame = frames.data()[i], gaussian = gaussians.data()[i];
    if (frame < 0 || frame >= feats.shape(0) || gaussian < 0 || gaussian >= size)
      throw std::invalid_argument("a pair has no such frame or Gaussian");
    pairs.push_back({feats.data() + frame * dim, gaussian});
  }
  std::vector<float> made;
  {
    py::gil_scoped_release release;
    made = full_log_likelihoods({constants.data(), scaled_means.data(), precisions.data(), dim}, pairs);
  }
  return to_array(made);
}

py::list shared_rows(const Dense<float> &weights, const Dense<int64_t> &gaussians, const Dense<int64_t> &frames,
                     int64_t num_frames, const std::vector<Dense<float>> &tables) {
  if (weights.size() != gaussians.size() || weights.size() != frames.size() || num_frames < 0)
    throw std::invalid_argument("weights, Gaussians and frames do not fit together");
  int64_t most = -1;
  std::vector<Share> shares;
  shares.reserve(weights.size());
  for (py::ssize_t i = 0; i < weights.size(); i++) {
    shares.push_back({weights.data()[i], gaussians.data()[i], frames.data()[i]});
    if (shares.back().gaussian < 0 || shares.back().frame < 0 || shares.back().frame >= num_frames)
      throw std::invalid_argument("a share is of no such frame or Gaussian");
    most = std::max(most, shares.back().gaussian);
  }
  py::list made;
  for (const Dense<float> &table : tables) {
    if (table.ndim() != 2 || table.shape(0) <= most) throw std::invalid_argument("a table lacks rows of Gaussians");
    py::array_t<float> sums({static_cast<py::ssize_t>(num_frames), table.shape(1)});
    std::fill_n(sums.mutable_data(), sums.size(), 0.0f);
    add_shared_rows(shares, table.data(), table.shape(1), sums.mutable_data());
    made.append(sums);
  }
  return made;
}

py::array_t<float> mixtures_summed(const Dense<float> &scores, const Dense<int64_t> &sizes) {
  const std::vector<int64_t> each(sizes.data(), sizes.data() + sizes.size());
  int64_t total = 0;
  for (const int64_t size : each) {
    if (size < 1) throw std::invalid_argument("a mixture has no Gaussians");
    total += size;
  }
  if (scores.ndim() != 2 || scores.shape(0) != total) throw std::invalid_argument("the Gaussians and mixtures do not fit together");
  py::array_t<float> made({scores.shape(1), sizes.size()});
  const float *from = scores.data();
  float *to = made.mutable_data();
  const int64_t frames = scores.shape(1);
  py::gil_scoped_release release;
  sum_mixtures(from, frames, each, to);
  return made;
}

py::array_t<double> rows_updated(const Dense<double> &inverses, const Dense<double> &linear, const Dense<double> &shifts, double beta,
                       const Dense<double> &cofactors, const Dense<double> &transform) {
  const int64_t dim = cofactors.ndim() == 2 ? cofactors.shape(0) : 0, size = dim * (dim + 1);
  if (cofactors.size() != dim * dim || linear.size() != size || shifts.size() != size || transform.size() != size ||
      inverses.size() != size * (dim + 1))
    throw std::invalid_argument("the statistics and the transform do not fit together");
  std::vector<double> kept(cofactors.data(), cofactors.data() + cofactors.size());
  py::array_t<double> made({dim, dim + 1});
  std::copy(transform.data(), transform.data() + size, made.mutable_data());
  update_rows(dim, inverses.data(), linear.data(), shifts.data(), beta, kept.data(), made.mutable_data());
  return made;
}

// In place.
double frames_added(const Dense<double> &extractor_linear, const Dense<double> &extractor_quadratic,
                    const Dense<float> &feats, const Dense<float> &weights, py::array_t<double, py::array::c_style> linear,
                    py::array_t<double, py::array::c_style> quadratic) {
  if (extractor_linear.ndim() != 3 || feats.ndim() != 2 || weights.ndim() != 2)
    throw std::invalid_argument("the extractor, features and weights do not fit together");
  const ExtractorProducts extractor = {extractor_linear.data(), extractor_quadratic.data(), extractor_linear.shape(0),
                                       extractor_linear.shape(1), extractor_linear.shape(2)};
  const int64_t triangle = extractor.size * (extractor.size + 1) / 2;
  if (extractor_quadratic.size() != extractor.gaussians * triangle || feats.shape(1) != extractor.dim ||
      weights.shape(0) != feats.shape(0) || weights.shape(1) != extractor.gaussians || linear.size() != extractor.size ||
      quadratic.size() != triangle)
    throw std::invalid_argument("the extractor, features and weights do not fit together");
  return add_frames(extractor, feats.data(), weights.data(), feats.shape(0), linear.mutable_data(),
                    quadratic.mutable_data());
}

}  // namespace

void add_ivectors(py::module_ &m) {
  m.def("conjugate_gradients", &solved, "Nearly the solution of A x = b; None where iterations made it worse.");
  m.def("fmllr_rows_updated", &rows_updated, "An fMLLR transform with each row improved.");
  m.def("fmllr_step_size", &step_size, "How far a row of an fMLLR transform goes.");
  m.def("add_frames", &frames_added, py::arg("extractor_linear"), py::arg("extractor_quadratic"), py::arg("feats"),
        py::arg("weights"), py::arg("linear").noconvert(), py::arg("quadratic").noconvert(),
        "Adds frames to statistics for i-vectors; the sum of their weights.");
  m.def("gaussian_shares", &shares, "(shares of the Gaussians of pairs, log-likelihoods of pairs).");
  m.def("full_log_likelihoods", &full_scores, "Of pairs of a frame and a Gaussian with full covariances.");
  m.def("shared_rows", &shared_rows, "Of each table the sums of its rows for each frame, by the shares of Gaussians.");
  m.def("mixtures_summed", &mixtures_summed, "Log-likelihoods of mixtures [frames, mixtures] from those of their Gaussians.");
  m.def("pruned_posteriors", &pruned, "(how many of each frame, Gaussians, posteriors, log-likelihoods of frames).");
}

}  // namespace kaldi_bridge
