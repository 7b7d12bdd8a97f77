// "Shorten" (Tony Robinson, SHORTEN: simple lossless and near-lossless waveform compression, CUED/F-INFENG/TR.156, 1994),
// versions 1 and 2 of its stream. Blocks of each channel in turn are predicted, by a polynomial through the last samples or
// by a linear filter, from the channel's mean over the last blocks; what is left is written as Rice codes: a number's high
// bits in unary, then so many low bits.

#include "shorten.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

enum Function { kDiff0, kDiff1, kDiff2, kDiff3, kQuit, kBlockSize, kBitShift, kLinear, kZero, kVerbatim };

constexpr int kFunctionBits = 2, kEnergyBits = 3, kShiftBits = 2, kOrderBits = 2, kCoefficientBits = 5, kNumberBits = 2;
constexpr int kVerbatimCountBits = 5, kVerbatimByteBits = 8, kSkippedByteBits = 7;
constexpr int64_t kLargestBlock = 1 << 16, kLargestMean = 1 << 10, kLargestChannels = 64, kHistory = 3;

class BitReader {
 public:
  BitReader(const uint8_t *data, size_t size) : data_(data), bits_(8 * size) {}

  bool bit() {
    if (at_ == bits_) throw std::invalid_argument("the compressed recording ends too early");
    const bool value = data_[at_ >> 3] >> (7 - (at_ & 7)) & 1;
    at_++;
    return value;
  }

  uint32_t rice(int low_bits) {
    uint64_t value = 0;
    while (!bit()) value++;
    for (int i = 0; i < low_bits; i++) value = value << 1 | bit();
    if (value > 0xffffffffu) throw std::invalid_argument("a number of the compressed recording is too large");
    return static_cast<uint32_t>(value);
  }

  int32_t signed_rice(int low_bits) {
    const uint32_t value = rice(low_bits + 1);
    return value & 1 ? ~static_cast<int32_t>(value >> 1) : static_cast<int32_t>(value >> 1);
  }

  // A number whose count of low bits stands before it.
  int64_t number() { return rice(bits(rice(kNumberBits))); }

  static int bits(uint32_t count) {
    if (count > 31) throw std::invalid_argument("a code of the compressed recording is too long");
    return static_cast<int>(count);
  }

 private:
  const uint8_t *data_;
  size_t bits_, at_ = 0;
};

int64_t bounded(int64_t value, int64_t least, int64_t most, const char *what) {
  if (value < least || value > most)
    throw std::invalid_argument("the compressed recording says " + std::to_string(value) + " for its " + what);
  return value;
}

class Decoder {
 public:
  Decoder(const uint8_t *data, size_t size, int64_t most) : bits_(data + 5, size - 5), version_(data[4]), most_(most) {
    bounded(version_, 1, 2, "version");
    type_ = bounded(bits_.number(), 0, 255, "type");
    channels_ = bounded(bits_.number(), 1, kLargestChannels, "channels");
    block_ = bounded(bits_.number(), 1, kLargestBlock, "block size");
    history_ = std::max(kHistory, bounded(bits_.number(), 0, 1024, "prediction order"));
    const int64_t averaged = bounded(bits_.number(), 0, kLargestMean, "averaged blocks");
    for (int64_t n = bits_.number(); n > 0; n--) bits_.rice(kSkippedByteBits);
    means_.assign(channels_, std::vector<int32_t>(averaged, 0));
    pasts_.assign(channels_, std::vector<int32_t>(history_, 0));
  }

  // All values, those of one time together, and in `shifts` how far each was shifted down.
  std::vector<int32_t> run(std::vector<uint8_t> *shifts) {
    std::vector<int32_t> values;
    std::vector<std::vector<int32_t>> blocks(channels_);
    std::vector<uint8_t> block_shifts(channels_);
    for (int64_t channel = 0;;) {
      const uint32_t function = bits_.rice(kFunctionBits);
      if (function == kQuit) return values;
      if (function == kBlockSize) {
        block_ = bounded(bits_.number(), 1, kLargestBlock, "block size");
      } else if (function == kBitShift) {
        shift_ = bounded(bits_.rice(kShiftBits), 0, 31, "bit shift");
      } else if (function == kVerbatim) {
        for (int64_t n = bits_.rice(kVerbatimCountBits); n > 0; n--) bits_.rice(kVerbatimByteBits);
      } else {
        bounded(function, kDiff0, kZero, "next function");
        blocks[channel] = read_block(static_cast<Function>(function), channel);
        block_shifts[channel] = static_cast<uint8_t>(shift_);
        if (++channel < channels_) continue;
        channel = 0;
        for (const auto &block : blocks)
          if (block.size() != blocks[0].size()) throw std::invalid_argument("channels of different lengths");
        for (size_t i = 0; i < blocks[0].size(); i++) {
          for (const auto &block : blocks) values.push_back(block[i]);
          shifts->insert(shifts->end(), block_shifts.begin(), block_shifts.end());
        }
        if (static_cast<int64_t>(values.size()) > most_ + channels_ * kLargestBlock)
          throw std::invalid_argument("the compressed recording is longer than its header says");
      }
    }
  }

  int64_t type() const { return type_; }
  int64_t channels() const { return channels_; }

 private:
  // What samples are around: the mean of the last blocks.
  int32_t offset(int64_t channel) const {
    const auto &means = means_[channel];
    if (means.empty()) return 0;
    const int64_t count = static_cast<int64_t>(means.size());
    int64_t sum = version_ < 2 ? 0 : count / 2;
    for (int32_t mean : means) sum += mean;
    const int64_t mean = sum / count;
    return static_cast<int32_t>(version_ < 2 || shift_ == 0 ? mean : mean >> shift_);
  }

  std::vector<int32_t> read_block(Function function, int64_t channel) {
    std::vector<int32_t> values = pasts_[channel];  // the last samples, then the block's
    values.resize(history_ + block_);
    int32_t *x = values.data() + history_;
    if (function != kZero) {
      const int low = BitReader::bits(bits_.rice(kEnergyBits));
      if (low > 30) throw std::invalid_argument("a code of the compressed recording is too long");
      function == kLinear ? read_linear(x, low, offset(channel)) : read_difference(x, function, low, offset(channel));
    }
    std::copy(values.end() - history_, values.end(), pasts_[channel].begin());
    auto &means = means_[channel];
    if (!means.empty()) {
      int64_t sum = version_ < 2 ? 0 : block_ / 2;
      for (int64_t i = 0; i < block_; i++) sum += x[i];
      means.erase(means.begin());
      means.push_back(static_cast<int32_t>(version_ < 2 ? sum / block_ : (sum / block_) * (int64_t{1} << shift_)));
    }
    return std::vector<int32_t>(x, x + block_);
  }

  // Sums are of unsigned numbers, which may overflow where the input is not what a compressor wrote.
  void read_difference(int32_t *x, Function order, int low, int32_t offset) {
    for (int64_t i = 0; i < block_; i++) {
      const uint32_t left = bits_.signed_rice(low), x1 = x[i - 1], x2 = x[i - 2], x3 = x[i - 3];
      const uint32_t predicted = order == kDiff0   ? static_cast<uint32_t>(offset)
                                 : order == kDiff1 ? x1
                                 : order == kDiff2 ? 2 * x1 - x2
                                                   : 3 * (x1 - x2) + x3;
      x[i] = static_cast<int32_t>(left + predicted);
    }
  }

  void read_linear(int32_t *x, int low, int32_t offset) {
    const int64_t order = bounded(bits_.rice(kOrderBits), 0, history_, "prediction order");
    std::vector<int64_t> coefficients(order);
    for (int64_t &coefficient : coefficients) coefficient = bits_.signed_rice(kCoefficientBits);
    for (int64_t i = -order; i < 0; i++) x[i] -= offset;
    for (int64_t i = 0; i < block_; i++) {
      uint64_t sum = version_ < 2 ? 0 : 1 << kCoefficientBits;
      for (int64_t j = 0; j < order; j++) sum += static_cast<uint64_t>(coefficients[j] * x[i - j - 1]);
      const auto predicted = static_cast<int32_t>(static_cast<int64_t>(sum) >> kCoefficientBits);
      x[i] = static_cast<int32_t>(static_cast<uint32_t>(bits_.signed_rice(low)) + static_cast<uint32_t>(predicted));
    }
    for (int64_t i = 0; i < block_; i++) x[i] = static_cast<int32_t>(static_cast<uint32_t>(x[i]) + offset);
  }

  BitReader bits_;
  int version_;
  int64_t most_, type_, channels_, block_, history_, shift_ = 0;
  std::vector<std::vector<int32_t>> means_, pasts_;  // for each channel
};

py::tuple decode_shorten(const py::bytes &compressed, int64_t most) {
  const std::string_view data(compressed);
  if (data.size() < 6 || data.substr(0, 4) != "ajkg") throw std::invalid_argument("no compressed recording begins here");
  std::vector<int32_t> values;
  std::vector<uint8_t> shifts;
  int64_t type, channels;
  {
    py::gil_scoped_release release;
    Decoder decoder(reinterpret_cast<const uint8_t *>(data.data()), data.size(), most);
    values = decoder.run(&shifts);
    type = decoder.type();
    channels = decoder.channels();
  }
  const std::vector<int64_t> shape{static_cast<int64_t>(values.size()) / channels, channels};
  py::array_t<int32_t> value_array(shape);
  py::array_t<uint8_t> shift_array(shape);
  std::copy(values.begin(), values.end(), value_array.mutable_data());
  std::copy(shifts.begin(), shifts.end(), shift_array.mutable_data());
  return py::make_tuple(type, value_array, shift_array);
}

}  // namespace

void add_shorten(py::module_ &m) {
  m.def("decode_shorten", &decode_shorten, 
        "(type of samples, values, their shifts; both [samples, channels]) of a recording with at most so many values.");
}

}  // namespace kaldi_bridge
