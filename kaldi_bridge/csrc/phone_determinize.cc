#include "phone_determinize.h"

#include <stdexcept>

#include "minimize.h"
#include "nested_lattice.h"

namespace kaldi_bridge {

namespace {

// Puts phones among the words, numbered from `first` on, where their first transition-id stands; returns `first`.
// Not on arcs out of the start state.
int32_t insert_phones(const std::vector<int32_t> &phone_of, Lattice *lattice) {
  int32_t first = 1;
  for (const State &state : *lattice)
    for (const Arc &arc : state.arcs) first = std::max(first, arc.word + 1);
  for (size_t s = 1, n = lattice->size(); s < n; s++) {
    for (size_t i = 0; i < (*lattice)[s].arcs.size(); i++) {
      Arc &arc = (*lattice)[s].arcs[i];
      const int32_t phone = static_cast<size_t>(arc.tid) < phone_of.size() ? phone_of[arc.tid] : 0;
      if (arc.tid == 0 || phone == 0) continue;
      if (arc.word == 0) {
        arc.word = first + phone;
      } else {
        const int32_t middle = static_cast<int32_t>(lattice->size()), next = arc.next;
        arc.next = middle;
        lattice->emplace_back();  // `arc` is no longer valid
        lattice->back().arcs.push_back({0, first + phone, {}, next});
      }
    }
  }
  return first;
}

CompactLattice with_chains_joined(const Lattice &lattice) {
  CompactLattice compact = nested(to_compact(flat(lattice)));
  sort_topologically(&compact);
  return compact;
}

}  // namespace

void prepare(bool always, Lattice *lattice) {
  if ((always || !is_sorted_topologically(*lattice)) && !sort_topologically(lattice))
    throw std::invalid_argument(
        "the lattice has a cycle (empty words in the lexicon, or epsilon cycles in the language model?)");
  for (State &state : *lattice)
    std::sort(state.arcs.begin(), state.arcs.end(), [](const Arc &a, const Arc &b) {
      return a.word != b.word ? a.word < b.word : a.tid < b.tid;
    });
}

Determinized determinize_by_phones(Lattice lattice, const std::vector<int32_t> &phone_of,
                                   const PhoneDeterminizeOptions &options) {
  prepare(false, &lattice);
  Determinized out;
  if (!options.phones && !options.words) {
    out.messages.push_back({Message::kWarning,
                            "Both --phone-determinize and --word-determinize are set to false, copying lattice without "
                            "determinization."});
    out.states_before = lattice.size();
    out.lattice = with_chains_joined(lattice);
    connect(&out.lattice);
    return out;
  }
  DeterminizeOptions one_pass;
  one_pass.beam = options.beam;
  one_pass.delta = options.delta;
  one_pass.max_memory = options.max_memory;
  if (options.phones && !phone_of.empty()) {
    const int32_t first = insert_phones(phone_of, &lattice);
    sort_topologically(&lattice);
    one_pass.warn_of_retries = true;
    out = determinize(lattice, one_pass);
    one_pass.warn_of_retries = false;
    lattice = nested(to_lattice(flat(out.lattice)));
    for (State &state : lattice)
      for (Arc &arc : state.arcs)
        if (arc.word >= first) arc.word = 0;
    sort_topologically(&lattice);
  }
  out.states_before = lattice.size();
  if (options.words) {
    Determinized words = determinize(lattice, one_pass);
    out.complete = out.complete && words.complete;
    out.messages.insert(out.messages.end(), words.messages.begin(), words.messages.end());
    out.lattice = std::move(words.lattice);
    if (options.minimize) {
      push_strings(&out.lattice);
      push_costs(&out.lattice);
      minimize(&out.lattice);
    }
  } else {
    out.lattice = with_chains_joined(lattice);
  }
  connect(&out.lattice);
  return out;
}

}  // namespace kaldi_bridge
