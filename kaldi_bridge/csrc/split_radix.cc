// Spectra of real frames, in the single precision of Kaldi (matrix/srfft.cc), for many frames at once.
//
// A frame of N samples is a complex signal z of n = N / 2: even samples are real parts, odd ones imaginary parts. Its
// transform Z by the split-radix algorithm (decimation in frequency),
//
//     Z_2k     = transform of length n/2 of  z_j + z_{j+n/2}
//     Z_{4k+1} = transform of length n/4 of  (d_j - i d_{j+n/4}) w^j,      d_j = z_j - z_{j+n/2},  w = exp(-2 pi i / n)
//     Z_{4k+3} = transform of length n/4 of  (d_j + i d_{j+n/4}) w^{3j}
//
// gives that of the frame: X_k = C_k + D_k v^k with v = exp(-2 pi i / N), C_k = (Z_k + conj Z_{n-k}) / 2 and
// D_k = (Z_k - conj Z_{n-k}) / 2i.
//
// Rounding is a part of the result: a band without speech, such as what lies above the rate of a recording that was
// upsampled, holds little else, and features are logarithms. So rotations take three products, powers of v are products of
// v with itself, and both are rounded as in Kaldi. The frames of a block are side by side, one in each lane of a vector.

#include "split_radix.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

constexpr int64_t LANES = 16;
using Lanes = std::array<float, LANES>;

// (re + i im) exp(-i angle).
class Rotation {
 public:
  explicit Rotation(double angle) {
    const float rounded = static_cast<float>(angle), sine = std::sin(rounded);
    cosine_ = std::cos(rounded);
    minus_sum_ = -(sine + cosine_);
    difference_ = sine - cosine_;
  }
  void operator()(Lanes &re, Lanes &im) const {
    for (int64_t l = 0; l < LANES; l++) {
      const float shared = cosine_ * (re[l] + im[l]), turned = minus_sum_ * re[l] + shared;
      re[l] = difference_ * im[l] + shared;
      im[l] = turned;
    }
  }

 private:
  float cosine_, minus_sum_, difference_;
};

class SplitRadix {
 public:
  // n: a power of two.
  explicit SplitRadix(int64_t n) : reversed_(n, 0) {
    for (int64_t k = 1, low = n / 2; k < n; k++) reversed_[k] = reversed_[k / 2] / 2 + (k % 2) * low;
    for (int64_t m = 1; m <= n; m *= 2) {
      rotations_.emplace_back();
      for (int64_t j = 0; j < m / 4; j++)
        rotations_.back().emplace_back(Rotation(j * 2 * M_PI / m), Rotation(3 * j * 2 * M_PI / m));
    }
  }

  // Transforms in place; Z_k is where reversed(k) says.
  void operator()(Lanes *re, Lanes *im) const { transform(re, im, static_cast<int>(rotations_.size()) - 1); }
  int64_t reversed(int64_t k) const { return reversed_[k]; }

 private:
  void transform(Lanes *re, Lanes *im, int log_n) const {
    if (log_n <= 0) return;
    const int64_t n = int64_t{1} << log_n, half = n / 2, quarter = n / 4;
    for (int64_t j = 0; j < half; j++) {
      butterfly(re[j], re[j + half]);
      butterfly(im[j], im[j + half]);
    }
    Lanes *re1 = re + half, *im1 = im + half, *re3 = re1 + quarter, *im3 = im1 + quarter;
    for (int64_t j = 0; j < quarter; j++) {
      quarter_turns(re1[j], im1[j], re3[j], im3[j]);
      if (j == 0) continue;
      if (2 * j == quarter) {
        eighth_turns(re1[j], im1[j], re3[j], im3[j]);
      } else {
        rotations_[log_n][j].first(re1[j], im1[j]);
        rotations_[log_n][j].second(re3[j], im3[j]);
      }
    }
    transform(re, im, log_n - 1);
    transform(re1, im1, log_n - 2);
    transform(re3, im3, log_n - 2);
  }

  static void butterfly(Lanes &a, Lanes &b) {
    for (int64_t l = 0; l < LANES; l++) {
      const float sum = a[l] + b[l];
      b[l] = a[l] - b[l];
      a[l] = sum;
    }
  }

  // (a, b) -> (a - i b, a + i b).
  static void quarter_turns(Lanes &a_re, Lanes &a_im, Lanes &b_re, Lanes &b_im) {
    for (int64_t l = 0; l < LANES; l++) {
      const float re = a_re[l] + b_im[l], im = a_im[l] + b_re[l];
      a_im[l] -= b_re[l];
      b_re[l] = a_re[l] - b_im[l];
      a_re[l] = re;
      b_im[l] = im;
    }
  }

  // a by one eighth, b by three.
  static void eighth_turns(Lanes &a_re, Lanes &a_im, Lanes &b_re, Lanes &b_im) {
    const float root = static_cast<float>(M_SQRT1_2);
    for (int64_t l = 0; l < LANES; l++) {
      const float a = root * (a_re[l] + a_im[l]), b = root * (b_im[l] - b_re[l]);
      a_im[l] = root * (a_im[l] - a_re[l]);
      a_re[l] = a;
      b_im[l] = -root * (b_re[l] + b_im[l]);
      b_re[l] = b;
    }
  }

  std::vector<int64_t> reversed_;
  std::vector<std::vector<std::pair<Rotation, Rotation>>> rotations_;  // by the logarithm of the length, by j: w^j, w^{3j}
};

// v^k for k up to n / 2.
std::vector<std::pair<float, float>> powers_of_root(int64_t n) {
  const float angle = static_cast<float>(-M_PI / n), root_re = std::cos(angle), root_im = std::sin(angle);
  std::vector<std::pair<float, float>> powers{{1.0f, 0.0f}};
  for (int64_t k = 1; 2 * k <= n; k++) {
    const auto [re, im] = powers.back();
    powers.emplace_back(re * root_re - im * root_im, re * root_im + im * root_re);
  }
  return powers;
}

// X_k and X_{n-k} of Z_k and Z_{n-k}.
struct Pair {
  float x_re, x_im, y_re, y_im;
};

Pair pair_of(float a_re, float a_im, float b_re, float b_im, const std::pair<float, float> &v) {
  const float c_re = 0.5f * (a_re + b_re), c_im = 0.5f * (a_im - b_im);
  const float d_re = 0.5f * (a_im + b_im), d_im = -0.5f * (a_re - b_re);
  const float dv_re = v.first * d_re - v.second * d_im, dv_im = v.first * d_im + v.second * d_re;
  return {c_re + dv_re, c_im + dv_im, c_re - dv_re, dv_im - c_im};
}

// |X_k|^2 and |X_{n-k}|^2 of Z_k and Z_{n-k}.
void powers_of_pair(const Lanes &a_re, const Lanes &a_im, const Lanes &b_re, const Lanes &b_im,
                    const std::pair<float, float> &v, Lanes &low, Lanes &high) {
  for (int64_t l = 0; l < LANES; l++) {
    const Pair pair = pair_of(a_re[l], a_im[l], b_re[l], b_im[l], v);
    low[l] = pair.x_re * pair.x_re + pair.x_im * pair.x_im;
    high[l] = pair.y_re * pair.y_re + pair.y_im * pair.y_im;
  }
}

// What is shared by all transforms of frames of 2n samples.
struct Transform {
  explicit Transform(int64_t n) : of_signal(n), powers(powers_of_root(n)) {}
  const SplitRadix of_signal;
  const std::vector<std::pair<float, float>> powers;  // of v
};

// n: a power of two. Each is made once: frames come a few at a time when someone speaks.
const Transform &transform_of(int64_t n) {
  static std::mutex mutex;
  static std::map<int64_t, const Transform> made;
  const std::lock_guard<std::mutex> lock(mutex);
  return made.try_emplace(n, n).first->second;
}

using Frames = py::array_t<float, py::array::c_style | py::array::forcecast>;

void check_frames(const Frames &frames) {
  if (frames.ndim() != 2 || frames.shape(1) < 4 || (frames.shape(1) & (frames.shape(1) - 1)) != 0)
    throw std::invalid_argument("frames to transform must have a power of two of samples");
}

// Frames from `begin` on, one in each lane, as complex signals of n numbers.
void load(const float *frames, int64_t begin, int64_t used, int64_t n, std::vector<Lanes> &re, std::vector<Lanes> &im) {
  for (int64_t l = 0; l < used; l++)
    for (int64_t j = 0; j < n; j++) {
      re[j][l] = frames[(begin + l) * 2 * n + 2 * j];
      im[j][l] = frames[(begin + l) * 2 * n + 2 * j + 1];
    }
}

// [frames, N], N a power of two -> [frames, N / 2], without that of half the sampling rate.
py::array_t<float> power_spectra(Frames frames) {
  check_frames(frames);
  const int64_t count = frames.shape(0), n = frames.shape(1) / 2;
  py::array_t<float> made({count, n});
  const float *from = frames.data();
  float *to = made.mutable_data();
  py::gil_scoped_release release;
  const auto &[transform, v] = transform_of(n);
  std::vector<Lanes> re(n), im(n), powers(n);
  for (int64_t begin = 0; begin < count; begin += LANES) {
    const int64_t used = std::min(LANES, count - begin);
    load(from, begin, used, n, re, im);
    transform(re.data(), im.data());
    for (int64_t l = 0; l < LANES; l++) powers[0][l] = (re[0][l] + im[0][l]) * (re[0][l] + im[0][l]);
    for (int64_t k = 1; 2 * k <= n; k++) {
      const int64_t a = transform.reversed(k), b = transform.reversed(n - k);
      Lanes high;
      powers_of_pair(re[a], im[a], re[b], im[b], v[k], powers[k], high);
      if (2 * k != n) powers[n - k] = high;
    }
    for (int64_t l = 0; l < used; l++)
      for (int64_t k = 0; k < n; k++) to[(begin + l) * n + k] = powers[k][l];
  }
  return made;
}

// [frames, N], N a power of two -> [frames, N / 2 + 1].
py::array_t<std::complex<float>> spectra(Frames frames) {
  check_frames(frames);
  const int64_t count = frames.shape(0), n = frames.shape(1) / 2;
  py::array_t<std::complex<float>> made({count, n + 1});
  const float *from = frames.data();
  std::complex<float> *to = made.mutable_data();
  py::gil_scoped_release release;
  const auto &[transform, v] = transform_of(n);
  std::vector<Lanes> re(n), im(n);
  for (int64_t begin = 0; begin < count; begin += LANES) {
    const int64_t used = std::min(LANES, count - begin);
    load(from, begin, used, n, re, im);
    transform(re.data(), im.data());
    for (int64_t l = 0; l < used; l++, to += n + 1) {
      to[0] = re[0][l] + im[0][l];
      to[n] = re[0][l] - im[0][l];
      for (int64_t k = 1; 2 * k <= n; k++) {
        const int64_t a = transform.reversed(k), b = transform.reversed(n - k);
        const Pair pair = pair_of(re[a][l], im[a][l], re[b][l], im[b][l], v[k]);
        to[k] = {pair.x_re, pair.x_im};
        if (2 * k != n) to[n - k] = {pair.y_re, pair.y_im};
      }
    }
  }
  return made;
}

}  // namespace

void add_split_radix(py::module_ &m) {
  m.def("spectra", &spectra, "Fourier transforms of frames.");
  m.def("power_spectra", &power_spectra, "Squared magnitudes of the Fourier transforms of frames.");
}

}  // namespace kaldi_bridge
