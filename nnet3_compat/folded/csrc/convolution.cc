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
              std::vector<HeightOffset> offsets)
      : Operation(makes),
        matrix_(std::move(matrix)),
        taps_(std::move(taps)),
        image_(image),
        offsets_(std::move(offsets)) {
    expect(image_.filters_in > 0 && image_.height_in > 0 && image_.height_out > 0 && image_.step > 0,
           "an image of no size");
    expect(matrix_->inputs() == image_.filters_in * static_cast<int64_t>(offsets_.size()),
           "a matrix has another dimension than the filters at all offsets");
    for (const HeightOffset &offset : offsets_)
      expect(offset.tap >= 0 && offset.tap < static_cast<int64_t>(taps_.size()), "an offset of no tap");
  }

  void run(const Workspace &space) const override {
    const int64_t frames = space.values[makes].rows * space.sequences, heights = image_.height_out;
    if (frames == 0) return;
    std::vector<std::vector<const float *>> frames_read(taps_.size());
    for (size_t tap = 0; tap < taps_.size(); tap++) space.find(taps_[tap], makes, &frames_read[tap]);
    std::vector<const float *> read;
    read.reserve(frames * heights * offsets_.size());
    for (const HeightOffset &offset : offsets_)
      for (const float *frame : frames_read[offset.tap])
        for (int64_t h = 0; h < heights; h++) {
          const int64_t height = h * image_.step + offset.height;
          const bool inside = height >= 0 && height < image_.height_in;
          read.push_back(inside ? frame + height * image_.filters_in : space.zeros());
        }
    matrix_->multiply(read.data(), offsets_.size(), frames * heights, Finish(), space.first_new_row(makes),
                      space.num_threads);
  }

  void check(const std::vector<Value> &values, const Layout &layout, const std::vector<int64_t> &) const override {
    expect(values[makes].dim == matrix_->outputs() * image_.height_out, "an image has another size than its value");
    for (const Reading &tap : taps_) {
      check_reading(tap, values, layout, values[makes].rows);
      expect(values[tap.source].dim == image_.filters_in * image_.height_in && tap.scale == 1.0f,
             "an image has another size than what it is read from");
    }
  }

 private:
  std::shared_ptr<PackedMatrix> matrix_;
  std::vector<Reading> taps_;
  Image image_;
  std::vector<HeightOffset> offsets_;
};

}  // namespace

std::shared_ptr<Operation> convolve(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> taps,
                                    Image image, std::vector<HeightOffset> offsets) {
  return std::make_shared<Convolution>(makes, std::move(matrix), std::move(taps), image, std::move(offsets));
}

}  // namespace nnet3_compat
