// An arc of a transducer, as in OpenFst's files and kaldi_bridge.fsts.fst.ARC.

#pragma once

#include <cstdint>

namespace kaldi_bridge {

struct FstArc {
  int32_t ilabel, olabel;
  float weight;
  int32_t nextstate;
};

}  // namespace kaldi_bridge
