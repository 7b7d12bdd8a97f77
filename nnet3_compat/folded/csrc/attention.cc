#include "attention.h"

#include <algorithm>
#include <stdexcept>

#include "function_code.h"

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

int64_t made_by(const Heads &heads, int64_t taps) {
  return heads.count * (heads.value_dim + (heads.gives_weights ? taps : 0));
}

class Attention : public Operation {
 public:
  Attention(int64_t makes, Heads heads, const std::vector<Reading> &taps)
      : Operation(makes, made_by(heads, taps.size()), taps), heads_(heads), code_(function_code()) {
    expect(heads_.count > 0 && heads_.key_dim > 0 && heads_.value_dim > 0, "heads of no size");
    expect(heads_.centre >= 0 && heads_.centre < frames(), "a frame that is not among its taps");
    for (const Reading &tap : readings)
      expect(tap.dim == heads_.count * head_dim() && tap.scale == 1.0f, "heads of another size than what they read");
  }

  void run(const Block &block) const override {
    std::vector<float> scores(frames()), weights(frames());
    for (int64_t r = 0; r < block.count; r++) {
      float *y = block.made + r * dim;
      for (int64_t head = 0; head < heads_.count; head++) {
        const auto tap = [&](int64_t o) { return block.read[o * block.stride + r] + head * head_dim(); };
        const float *const query = tap(heads_.centre) + heads_.key_dim + heads_.value_dim;
        const float *const bias = query + heads_.key_dim;
        for (int64_t o = 0; o < frames(); o++)
          scores[o] = heads_.key_scale * code_.product(tap(o), query, heads_.key_dim) + bias[o];
        const float most = *std::max_element(scores.begin(), scores.end());
        const float sum = code_.exponentials(scores.data(), most, frames(), weights.data());
        std::fill_n(y, heads_.value_dim, 0.0f);
        for (int64_t o = 0; o < frames(); o++) {
          weights[o] /= sum;
          code_.add(tap(o) + heads_.key_dim, weights[o], heads_.value_dim, y);
        }
        y += heads_.value_dim;
        if (heads_.gives_weights) y = std::copy(weights.begin(), weights.end(), y);
      }
    }
  }

 private:
  int64_t frames() const { return readings.size(); }
  int64_t head_dim() const { return 2 * heads_.key_dim + heads_.value_dim + frames(); }

  Heads heads_;
  const FunctionCode &code_;
};

}  // namespace

std::shared_ptr<Operation> attend(int64_t makes, Heads heads, const std::vector<Reading> &taps) {
  return std::make_shared<Attention>(makes, heads, taps);
}

}  // namespace nnet3_compat
