#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

// Adds the random numbers of C, and what cuts utterances into chunks.
void add_utterance_splitting(pybind11::module_ &m);

}  // namespace kaldi_bridge
