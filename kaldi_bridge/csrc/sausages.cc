#include "sausages.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "arc_lists.h"

namespace kaldi_bridge {

namespace {

// What an arc that is no word of R costs more than a substitution, so that equal alignments are told apart.
constexpr double kInsertionPenalty = 1.0e-5f;

double loss(int32_t a, int32_t b) { return a == b ? 0.0 : 1.0; }
double insertion_loss(int32_t word) { return word == 0 ? 0.0 : 1.0 + kInsertionPenalty; }

class MinimumBayesRisk {
 public:
  MinimumBayesRisk(const FlatCompactLattice &lattice, const SausageOptions &options) : options_(options) {
    const int32_t n = lattice.num_states();
    std::vector<int32_t> next;
    std::vector<int64_t> lengths;
    for (size_t i = 0; i < lattice.arcs.size(); i++) {
      next.push_back(lattice.arcs[i].nextstate);
      lengths.push_back(lattice.string_offsets[i + 1] - lattice.string_offsets[i]);
    }
    const ArcLists lists = {lattice.start, n, lattice.offsets.data(), next.data()};
    times_ = lengths_from_start(lists, lengths.data());
    entering_.resize(n);
    for (int32_t s = 0; s < n; s++)
      for (int64_t i = lattice.offsets[s]; i < lattice.offsets[s + 1]; i++) {
        const FlatCompactArc &arc = lattice.arcs[i];
        entering_[arc.nextstate].push_back({arc.label, s, -(arc.graph + arc.acoustic), 0.0});
      }
    alpha_.assign(n, -std::numeric_limits<double>::infinity());
    alpha_[0] = 0.0;
    for (int32_t s = 1; s < n; s++) {
      for (const Arc &arc : entering_[s]) alpha_[s] = log_add(alpha_[s], alpha_[arc.source] + arc.log_probability);
      for (Arc &arc : entering_[s]) arc.share = std::exp(alpha_[arc.source] + arc.log_probability - alpha_[s]);
    }
  }

  Sausages run(std::vector<int32_t> words) {
    words_ = std::move(words);
    for (int32_t iteration = 0;; iteration++) {
      put_empty_words();
      accumulate();
      const bool changed = update();
      if (!changed) break;
      if (iteration > 100) {
        made_.warnings.push_back("Iterating too many times in MbrDecode; stopping.");
        break;
      }
    }
    if (!options_.print_silence) drop_empty_words();
    made_.words = words_;
    return std::move(made_);
  }

 private:
  struct Arc {
    int32_t word, source;
    float log_probability;
    double share;  // of all paths to its state, those by this arc
  };

  struct Bin {  // of a position: for each word, its probability, and this times when it begins and ends
    std::map<int32_t, double> gamma, begin, end;

    void add(int32_t word, double probability, double from, double to) {
      if (probability == 0.0) return;
      gamma[word] += probability;
      begin[word] += from * probability;
      end[word] += to * probability;
    }
  };

  void drop_empty_words() { words_.erase(std::remove(words_.begin(), words_.end(), 0), words_.end()); }

  void put_empty_words() {
    drop_empty_words();
    std::vector<int32_t> with = {0};
    for (int32_t word : words_) {
      with.push_back(word);
      with.push_back(0);
    }
    words_ = std::move(with);
  }

  // L of the beginnings of R for paths by an arc, from those for paths to its source; which step was best: 1 along both
  // (a substitution or a match), 2 along the arc alone (an insertion), 3 along R alone (a deletion).
  void along_arc(const Arc &arc, const double *before, double *after, char *steps) const {
    const size_t Q = words_.size();
    const double insertion = insertion_loss(arc.word);
    after[0] = before[0] + insertion;
    for (size_t q = 1; q <= Q; q++) {
      const int32_t r = words_[q - 1];
      const double a1 = before[q - 1] + loss(arc.word, r), a2 = before[q] + insertion, a3 = after[q - 1] + loss(0, r);
      const char step = a1 <= a2 ? (a1 <= a3 ? 1 : 3) : (a2 <= a3 ? 2 : 3);
      after[q] = step == 1 ? a1 : step == 2 ? a2 : a3;
      if (steps) steps[q] = step;
    }
  }

  void accumulate() {
    const size_t N = entering_.size(), Q = words_.size(), width = Q + 1;
    std::vector<double> distances(N * width, 0.0), derivatives(N * width, 0.0), on_arc(width);
    for (size_t q = 1; q <= Q; q++) distances[q] = distances[q - 1] + loss(0, words_[q - 1]);
    for (size_t n = 1; n < N; n++)
      for (const Arc &arc : entering_[n]) {
        along_arc(arc, &distances[arc.source * width], on_arc.data(), nullptr);
        for (size_t q = 0; q <= Q; q++) distances[n * width + q] += arc.share * on_arc[q];
      }
    const double risk = distances[N * width - 1];
    if (made_.risk != 0.0 && risk > made_.risk) {
      std::ostringstream message;
      message << "Edit distance increased: " << risk << " > " << made_.risk;
      made_.warnings.push_back(message.str());
    }
    made_.risk = risk;

    std::vector<Bin> bins(width);
    std::vector<char> steps(width);
    derivatives[N * width - 1] = 1.0;
    for (size_t n = N; n-- > 1;)
      for (const Arc &arc : entering_[n]) {
        along_arc(arc, &distances[arc.source * width], on_arc.data(), steps.data());
        const double from = static_cast<double>(times_[arc.source]), to = static_cast<double>(times_[n]);
        double *back = &derivatives[arc.source * width];
        double from_next = 0.0;  // what comes from position q + 1
        for (size_t q = Q; q >= 1; q--) {
          const double here = from_next + arc.share * derivatives[n * width + q];
          from_next = 0.0;
          if (steps[q] == 1) {
            back[q - 1] += here;
            bins[q].add(arc.word, here, from, to);
          } else if (steps[q] == 2) {
            back[q] += here;
          } else {
            from_next = here;
            bins[q].add(0, here, to, to);
          }
        }
        back[0] += from_next + arc.share * derivatives[n * width];
      }
    double from_next = 0.0;
    for (size_t q = Q; q >= 1; q--) {
      from_next += derivatives[q];
      bins[q].add(0, from_next, 0.0, 0.0);
    }
    take(bins);
  }

  void take(const std::vector<Bin> &bins) {
    made_.bins.clear();
    made_.bin_times.clear();
    times_in_bins_.clear();
    for (size_t q = 1; q < bins.size(); q++) {
      double sum = 0.0;
      std::vector<std::pair<int32_t, float>> bin;
      for (const auto &[word, gamma] : bins[q].gamma) {
        sum += gamma;
        bin.emplace_back(word, static_cast<float>(gamma));
      }
      if (std::fabs(sum - 1.0) > 0.1) {
        std::ostringstream message;
        message << "sum of gamma[" << q << ",s] is " << sum;
        made_.warnings.push_back(message.str());
      }
      std::sort(bin.begin(), bin.end(), [](const auto &a, const auto &b) {
        return a.second != b.second ? a.second > b.second : a.first > b.first;
      });
      double begin = 0.0, end = 0.0;
      std::vector<Sausages::Times> times;
      for (const auto &[word, gamma] : bin) {
        const double from = bins[q].begin.at(word), to = bins[q].end.at(word);
        times.emplace_back(static_cast<float>(from / gamma), static_cast<float>(to / gamma));
        begin += from;
        end += to;
      }
      Sausages::Times whole = {static_cast<float>(begin), static_cast<float>(end)};
      if (whole.first > whole.second) made_.warnings.push_back("Times out of order");
      if (q > 1 && made_.bin_times.back().second > whole.first)
        made_.bin_times.back().second = whole.first =
            static_cast<float>(0.5 * (made_.bin_times.back().second + whole.first));
      made_.bin_times.push_back(whole);
      made_.bins.push_back(std::move(bin));
      times_in_bins_.push_back(std::move(times));
    }
  }

  // The best word of each position becomes that of R; whether one is better than before.
  bool update() {
    double gain = 0.0;
    made_.word_times.clear();
    made_.confidences.clear();
    for (size_t q = 0; q < words_.size(); q++) {
      const auto &bin = made_.bins[q];
      if (options_.decode && !bin.empty()) {
        double before = 0.0;
        for (const auto &[word, gamma] : bin)
          if (word == words_[q]) before = gamma;
        gain += before - bin[0].second;
        words_[q] = bin[0].first;
      }
      if (words_[q] == 0 && !options_.print_silence) continue;
      size_t place = 0;
      while (place < bin.size() && bin[place].first != words_[q]) place++;
      const bool there = place < bin.size();
      if (bin.empty()) {
        made_.word_times.emplace_back(0.0f, 0.0f);
      } else {
        made_.word_times.push_back(times_in_bins_[q][there ? place : 0]);
      }
      made_.confidences.push_back(there ? bin[place].second : 0.0f);
      if (made_.word_times.size() > 1) part_overlap();
    }
    return gain != 0.0;
  }

  // Where the last word begins before the one before it ends, both share the time by how long they were.
  void part_overlap() {
    const size_t count = made_.word_times.size();
    Sausages::Times &first = made_.word_times[count - 2], &second = made_.word_times[count - 1];
    if (first.second <= second.first) return;
    const float begin = count > 2 ? made_.word_times[count - 3].second : 0.0f;
    const float left = std::max(begin, std::min(first.first, second.first)), right = std::max(first.second, second.second);
    const float one = first.second - first.first, other = second.second - second.first;
    const float middle = one > 0 ? left + (right - left) * one / (one + other) : left;
    first = {left, middle};
    second = {middle, right};
  }

  const SausageOptions options_;
  std::vector<int64_t> times_;
  std::vector<std::vector<Arc>> entering_;  // the arcs that lead to each state
  std::vector<double> alpha_;               // log-probability of all paths to each state
  std::vector<int32_t> words_;              // R
  std::vector<std::vector<Sausages::Times>> times_in_bins_;
  Sausages made_;
};

}  // namespace

Sausages minimum_bayes_risk(const FlatCompactLattice &lattice, std::vector<int32_t> words, const SausageOptions &options) {
  return MinimumBayesRisk(lattice, options).run(std::move(words));
}

}  // namespace kaldi_bridge
