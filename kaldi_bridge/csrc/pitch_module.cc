#include "pitch_module.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "pitch.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

using Samples = py::array_t<float, py::array::c_style | py::array::forcecast>;

// [end - begin, 2]: correlation and pitch.
py::array_t<float> frames(const PitchTracker &tracker, int64_t begin, int64_t end) {
  if (begin < 0 || end < begin || end > tracker.num_ready()) throw std::invalid_argument("frames that are not ready");
  py::array_t<float> made({end - begin, int64_t{2}});
  float *to = made.mutable_data();
  for (int64_t t = begin; t < end; t++) std::tie(to[2 * (t - begin)], to[2 * (t - begin) + 1]) = tracker.frame(t);
  return made;
}

}  // namespace

void add_pitch(py::module_ &m) {
  py::class_<PitchOptions>(m, "PitchOptions")
      .def(py::init<>())
      .def_readwrite("window", &PitchOptions::window)
      .def_readwrite("shift", &PitchOptions::shift)
      .def_readwrite("first_lag", &PitchOptions::first_lag)
      .def_readwrite("last_lag", &PitchOptions::last_lag)
      .def_readwrite("lags", &PitchOptions::lags)
      .def_readwrite("soft_min_f0", &PitchOptions::soft_min_f0)
      .def_readwrite("transition_factor", &PitchOptions::transition_factor)
      .def_readwrite("ballast", &PitchOptions::ballast)
      .def_readwrite("preemphasis", &PitchOptions::preemphasis)
      .def_readwrite("max_latency", &PitchOptions::max_latency)
      .def_readwrite("recompute_frame", &PitchOptions::recompute_frame)
      .def_readwrite("ballast_by_frame", &PitchOptions::ballast_by_frame)
      .def_readwrite("snip_edges", &PitchOptions::snip_edges)
      .def("interpolate", [](PitchOptions &options, int32_t first, std::vector<float> weights) {
        options.interpolations.push_back({first, std::move(weights)});
      });

  py::class_<PitchTracker>(m, "PitchTracker")
      .def(py::init<PitchOptions>())
      .def("accept",
           [](PitchTracker &tracker, Samples samples, bool last) {
             const float *data = samples.data();
             const int64_t count = samples.size();
             py::gil_scoped_release release;
             tracker.accept(data, count, last);
           })
      .def_property_readonly("num_ready", &PitchTracker::num_ready)
      .def("frames", &frames, "Correlation and pitch of frames [begin, end).");
}

}  // namespace kaldi_bridge
