// Decoding of recordings that Tony Robinson's "shorten" compressed without loss, for Python.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_shorten(pybind11::module_ &m);

}  // namespace kaldi_bridge
