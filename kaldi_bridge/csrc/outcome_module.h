// The outcomes of searches, for Python.

#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "lattice_arrays.h"
#include "outcome.h"

namespace kaldi_bridge {

// Throws std::invalid_argument unless they are some frames of at least so many pdfs.
void check_likelihoods(int32_t num_pdfs, const InputArray<float> &likelihoods);

// Adds SearchResult, OutcomeOptions and decode_each; after PhoneDeterminizeOptions, SearchOptions and Graph.
void add_outcomes(pybind11::module_ &m);

}  // namespace kaldi_bridge
