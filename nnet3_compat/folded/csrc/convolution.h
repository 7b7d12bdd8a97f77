// Convolutions over time and height (Kaldi: nnet3/convolution.h).

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "operations.h"

namespace nnet3_compat {

// Where output height h sees the input: tap number ``tap``, at height h * step + ``height``.
struct HeightOffset {
  int64_t tap, height;
};

// Frames are images [height, filters], filters fastest.
struct Image {
  int64_t filters_in, height_in, height_out, step;
};

// What follows a convolution at once: scales * relu(x) + offsets, both [height out, filters out], or both empty.
struct Following {
  bool rectify;
  std::vector<float> scales, offsets;
};

// W [x_1, x_2, ...] + b, the x being the filters at each of the offsets, zeros above and below the image; the matrix is
// [filters out, offsets * filters in]. One product for the heights of all frames together.
std::shared_ptr<Operation> convolve(int64_t makes, std::shared_ptr<PackedMatrix> matrix, std::vector<Reading> taps,
                                    Image image, std::vector<HeightOffset> offsets, Following following);

}  // namespace nnet3_compat
