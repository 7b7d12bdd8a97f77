#include "outcome.h"

#include <utility>

#include "nested_lattice.h"

namespace kaldi_bridge {

Outcome outcome_of(const SearchResult &result, const OutcomeOptions &options) {
  Outcome made;
  made.best = best_path(result.lattice);
  made.reached_final = result.reached_final;
  const CostChange change{1.0, 0.0, 0.0, options.acoustic};
  if (options.determinizes) {
    Determinized done = determinize_by_phones(result.lattice, options.phone_of, options.determinization);
    made.compact = flat(done.lattice);
    made.complete = done.complete;
    made.messages = std::move(done.messages);
    change_costs(change, &made.compact);
  } else {
    made.plain = flat(result.lattice);
    change_costs(change, &made.plain);
  }
  return made;
}

}  // namespace kaldi_bridge
