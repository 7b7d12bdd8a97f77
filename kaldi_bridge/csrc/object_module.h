// The part of the module that reads and writes objects of tables.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_objects(pybind11::module_ &m);

}  // namespace kaldi_bridge
