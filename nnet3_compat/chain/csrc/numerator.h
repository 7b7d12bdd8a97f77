// Forward-backward over a supervision: an acceptor each of whose states belongs to a time.

#pragma once

#include <cstdint>

namespace nnet3_compat {

struct Acceptor {
  const int64_t *offsets;     // [states + 1], into the arcs
  const int32_t *labels;      // [arcs], pdf + 1
  const int32_t *next_states;  // [arcs]
  const float *costs;         // [arcs]
  const float *final_costs;   // [states]; infinity: not final
  int64_t num_states, start;
};

// output, posteriors: [frames][sequences][pdfs]; the sequences follow each other in the acceptor. Fills the posteriors
// and returns the log-probability, both computed in the log domain in double precision. Throws std::invalid_argument
// where a path has not frames * sequences arcs, or a label is no pdf.
double numerator(const Acceptor &acceptor, const float *output, int64_t frames, int64_t sequences, int64_t pdfs,
                 float *posteriors);

}  // namespace nnet3_compat
