#include "convolution.h"

#include <stdexcept>
#include <utility>

namespace nnet3_compat {

namespace {

void expect(bool condition, const char *what) {
  if (!condition) throw std::invalid_argument(what);
}

class Convolution : public Operation {
 public:
  Convolution(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> taps, Image image,
              std::vector<HeightOffset> offsets, Following following)
      : Operation(makes, matrix->outputs() * image.height_out, std::move(taps)),
        matrix_(std::move(matrix)),
        image_(image),
        offsets_(std::move(offsets)),
        following_(std::move(following)) {
    expect(image_.filters_in > 0 && image_.height_in > 0 && image_.height_out > 0 && image_.step > 0,
           "an image of no size");
    expect(matrix_->inputs() == image_.filters_in * static_cast<int64_t>(offsets_.size()),
           "a matrix has another dimension than the filters at all offsets");
    for (const HeightOffset &offset : offsets_)
      expect(offset.tap >= 0 && offset.tap < static_cast<int64_t>(readings.size()), "an offset of no tap");
    for (const Reading &tap : readings)
      expect(tap.dim == image_.filters_in * image_.height_in && tap.scale == 1.0f,
             "an image has another size than what it is read from");
    const size_t size = following_.scales.size();
    expect(following_.offsets.size() == size && (size == 0 || static_cast<int64_t>(size) == dim),
           "scales and offsets have another size than an image");
    if (size == 0) return;
    following_.scales.resize(size + PANEL);
    following_.offsets.resize(size + PANEL);
  }

  void run(const Block &block) const override {
    const int64_t heights = image_.height_out, rows = block.count * heights;
    std::vector<const float *> read;
    read.reserve(rows * offsets_.size());
    for (const HeightOffset &offset : offsets_)
      for (int64_t frame = 0; frame < block.count; frame++)
        for (int64_t h = 0; h < heights; h++) {
          const int64_t height = h * image_.step + offset.height;
          const bool inside = height >= 0 && height < image_.height_in;
          const float *const image = block.read[offset.tap * block.stride + frame];
          read.push_back(inside ? image + height * image_.filters_in : block.zeros);
        }
    Finish finish;
    finish.rectify = following_.rectify;
    if (!following_.scales.empty()) finish.scaled = {following_.scales.data(), following_.offsets.data(), heights};
    matrix_->multiply(read.data(), offsets_.size(), rows, rows, finish, block.made, block.num_threads);
  }

 private:
  std::shared_ptr<PackedMatrix> matrix_;
  Image image_;
  std::vector<HeightOffset> offsets_;
  Following following_;
};

}  // namespace

std::shared_ptr<Operation> convolve(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> taps,
                                    Image image, std::vector<HeightOffset> offsets, Following following) {
  return std::make_shared<Convolution>(makes, std::move(matrix), std::move(taps), image, std::move(offsets),
                                       std::move(following));
}

}  // namespace nnet3_compat
