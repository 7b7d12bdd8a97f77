// Language models as lattices are rescored with them: deterministic acceptors whose states come into being when they are
// asked for (fstext/deterministic-fst.h).

#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kaldi_bridge {

struct Step {
  int32_t next;
  float cost;
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  // The state before the first word; -1: there are none.
  virtual int32_t start() const = 0;

  // The cost of ending here; infinite: one cannot.
  virtual float final(int32_t state) = 0;

  // What a word, which is not 0, costs here and leads to; false: it cannot follow.
  virtual bool follow(int32_t state, int32_t word, Step *step) = 0;
};

// Costs times a factor.
class ScaledModel : public LanguageModel {
 public:
  ScaledModel(LanguageModel *model, float scale) : model_(*model), scale_(scale) {}
  int32_t start() const override { return model_.start(); }
  float final(int32_t state) override;
  bool follow(int32_t state, int32_t word, Step *step) override;

 private:
  LanguageModel &model_;
  const float scale_;
};

// The costs of two models added.
class ModelSum : public LanguageModel {
 public:
  ModelSum(LanguageModel *first, LanguageModel *second);
  int32_t start() const override { return states_.empty() ? -1 : 0; }
  float final(int32_t state) override;
  bool follow(int32_t state, int32_t word, Step *step) override;

 private:
  int32_t find(int32_t first, int32_t second);

  LanguageModel &first_, &second_;
  std::vector<std::pair<int32_t, int32_t>> states_;
  std::unordered_map<uint64_t, int32_t> numbers_;
};

// Two numbers of states as one.
inline uint64_t pair_key(int32_t first, int32_t second) {
  return static_cast<uint64_t>(static_cast<uint32_t>(first)) << 32 | static_cast<uint32_t>(second);
}

}  // namespace kaldi_bridge
