#include "discriminative_splitting.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "fst_properties.h"
#include "fst_property_bits.h"
#include "lattice_acceptors.h"
#include "lattice_order.h"
#include "lattice_properties.h"

namespace kaldi_bridge {

namespace {

using namespace fst_property;

constexpr uint64_t kConnected = yes(kAccessible) | yes(kCoaccessible);

// As ScaleTupleWeight rounds it (lat/kaldi-lattice.h): what cannot happen stays so.
Weight scaled(const Weight &weight, double acoustic) {
  if (weight.graph == kNotFinal) return {kNotFinal, kNotFinal};
  const double g = weight.graph, a = weight.acoustic;
  return {static_cast<float>(g + 0.0 * a), static_cast<float>(0.0 * g + acoustic * a)};
}

void scale(FlatLattice *lattice, double acoustic) {
  if (acoustic == 1.0) return;
  for (FlatArc &arc : lattice->arcs) {
    const Weight weight = scaled({arc.graph, arc.acoustic}, acoustic);
    arc.graph = weight.graph;
    arc.acoustic = weight.acoustic;
  }
  for (Weight &weight : lattice->finals)
    if (is_final(weight)) weight = scaled(weight, acoustic);
}

// Frames from the start to each state.
std::vector<int64_t> times_of(const FlatLattice &lattice) {
  std::vector<int64_t> lengths;
  lengths.reserve(lattice.arcs.size());
  for (const FlatArc &arc : lattice.arcs) lengths.push_back(arc.ilabel != 0);
  const std::vector<int32_t> next = next_states(lattice);
  return lengths_from_start(arc_lists(lattice, next), lengths.data());
}

void check_length(const FlatLattice &lattice, int32_t frames) {
  const std::vector<int64_t> times = times_of(lattice);
  int64_t longest = -1;
  for (int32_t s = 0; s < lattice.num_states(); s++)
    if (is_final(lattice.finals[s])) longest = std::max(longest, times[s]);
  if (longest != frames) throw std::invalid_argument("a part of the lattice has no path of " + std::to_string(frames) + " frames");
}

}  // namespace

DiscriminativeSplitter::DiscriminativeSplitter(const FlatLattice &lattice, std::vector<int32_t> id_to_pdf, int32_t num_pdfs,
                                               const DiscriminativeSplittingOptions &options)
    : options_(options),
      scale_(static_cast<float>(options.acoustic_scale)),
      id_to_pdf_(std::move(id_to_pdf)),
      num_pdfs_(num_pdfs) {
  const std::vector<int64_t> times = times_of(lattice);
  std::vector<int32_t> order(times.size()), numbers(times.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return times[a] < times[b]; });
  for (size_t i = 0; i < order.size(); i++) {
    numbers[order[i]] = static_cast<int32_t>(i);
    times_.push_back(times[order[i]]);
  }
  lattice_ = renumbered(lattice, numbers);
  scale(&lattice_, scale_);
  const std::vector<int32_t> next = next_states(lattice_);
  const ArcLists lists = arc_lists(lattice_, next);
  const std::vector<double> costs = arc_costs(lattice_);
  alphas_ = log_sums_from_start(lists, costs.data());
  betas_ = log_sums_to_end(lists, costs.data(), final_costs(lattice_).data());
  if (times_.empty() || times_[0] < 0 || !std::isfinite(betas_[0]))
    throw std::invalid_argument("the lattice has states out of reach, or no path of finite cost");
}

LatticePart DiscriminativeSplitter::part(int32_t first, int32_t end, bool normalize) const {
  FlatLattice made = without_epsilons(cut(first, end, normalize));
  uint64_t known = options_.collapse_transition_ids ? collapse(&made) : kConnected;
  if (options_.determinize && options_.minimize) {
    made = minimized_acceptor(made);
    known = kConnected;
  } else if (options_.determinize) {
    made = determinized_acceptor(made);
    known = (known & yes(kCoaccessible)) | yes(kAccessible) | yes(kInputDeterministic);
  }
  made = top_sorted(std::move(made));
  check_length(made, end - first);
  if (options_.acoustic_scale == 1.0)
    return {std::move(made), topologically_sorted(known | yes(kAcceptor) | kNoEpsilons | kExpandedAndMutable)};
  scale(&made, 1.0f / scale_);
  const uint64_t tested = tested_properties(made);
  return {std::move(made), tested};
}

int32_t DiscriminativeSplitter::first_state(int32_t time) const {
  return static_cast<int32_t>(std::lower_bound(times_.begin(), times_.end(), time) - times_.begin());
}

// With an arc from a new start to each state of frame `first`; what leads to `end` leads to a new end.
FlatLattice DiscriminativeSplitter::cut(int32_t first, int32_t end, bool normalize) const {
  const int32_t begin = first_state(first), entered = first_state(first + 1), stop = first_state(end);
  FlatLattice made;
  made.start = 0;
  made.offsets = {0};
  const auto end_state = [&made](const Weight &final) {
    made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
    made.finals.push_back(final);
  };
  const Weight not_final = {kNotFinal, kNotFinal};
  const double total = normalize ? betas_[0] : 0.0;
  for (int32_t s = begin; s < entered; s++)
    made.arcs.push_back({0, 0, static_cast<float>(total - alphas_[s]), 0.0f, s - begin + 1});
  end_state(not_final);
  for (int32_t s = begin; s < stop; s++) {
    for (FlatArc arc : arcs_of(lattice_, s)) {
      arc.olabel = arc.ilabel;
      if (arc.nextstate >= stop) {
        arc.graph = static_cast<float>(arc.graph - betas_[arc.nextstate]);
        arc.nextstate = stop;
      }
      arc.nextstate += 1 - begin;
      made.arcs.push_back(arc);
    }
    end_state(not_final);
  }
  end_state({0.0f, 0.0f});
  return made;
}

// Gives arcs the first transition-id of each pdf in a frame for all of that pdf there; returns what is known then.
//
// As in Kaldi, the frame of a part's state is taken from the state of the same number in the whole lattice: in parts that
// begin later these are earlier, and fewer transition-ids are merged.
uint64_t DiscriminativeSplitter::collapse(FlatLattice *part) const {
  struct First {
    int64_t time;
    int32_t id;
  };
  std::vector<First> firsts(num_pdfs_, {-1, 0});  // of each pdf, in the last frame that had it
  bool changed = false, weighted = false;
  for (int32_t s = 0; s < part->num_states(); s++)
    for (int64_t i = part->offsets[s]; i < part->offsets[s + 1]; i++) {
      FlatArc &arc = part->arcs[i];
      First &first = firsts.at(id_to_pdf_.at(arc.ilabel));
      if (first.time != times_.at(s)) {
        first = {times_[s], arc.ilabel};
        continue;
      }
      arc.ilabel = arc.olabel = first.id;
      changed = true;
      weighted = weighted || arc.graph != 0.0f || arc.acoustic != 0.0f;
    }
  if (!changed) return kConnected;
  return weighted ? yes(kWeighted) : 0;
}

}  // namespace kaldi_bridge
