// The histories of a sampling model in Kaldi's binary form (rnnlm/sampling-lm.cc).

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "sampling_lm.h"

namespace kaldi_bridge {
namespace {

constexpr char kSize = 4;  // of numbers, before each of them
constexpr size_t kNumber = 5;

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  void expect(std::string_view token) {
    if (rest_.substr(0, token.size()) != token)
      throw std::invalid_argument("expected the token " + std::string(token.substr(0, token.size() - 1)));
    rest_.remove_prefix(token.size());
  }

  template <class T>
  T number() {
    need(kNumber);
    if (rest_[0] != kSize) throw std::invalid_argument("expected a number of 4 bytes");
    T value;
    std::memcpy(&value, rest_.data() + 1, sizeof value);
    rest_.remove_prefix(kNumber);
    return value;
  }

  int32_t count() {
    const int32_t value = number<int32_t>();
    if (value < 0) throw std::invalid_argument("a negative number of histories or words");
    return value;
  }

  History history() {
    const size_t size = static_cast<size_t>(count());
    need(sizeof(int32_t) * size);
    History words(size);
    std::memcpy(words.data(), rest_.data(), sizeof(int32_t) * size);
    rest_.remove_prefix(sizeof(int32_t) * size);
    return words;
  }

  // How many things of so many bytes there can still be.
  size_t at_most(size_t bytes) const { return rest_.size() / bytes; }

 private:
  void need(size_t bytes) const {
    if (rest_.size() < bytes) throw std::invalid_argument("the language model is truncated");
  }

  std::string_view rest_;
};

}  // namespace

void read_states(std::string_view bytes, SamplingLm *model) {
  Reader reader(bytes);
  const int32_t vocab_size = static_cast<int32_t>(model->unigrams.size());
  for (int32_t order = 2; order <= model->order(); order++) {
    reader.expect("<StatesOfOrder> ");
    if (reader.number<int32_t>() != order) throw std::invalid_argument("histories are of another order");
    reader.expect("<NumStates> ");
    auto &states = model->states[order - 2];
    for (int32_t left = reader.count(); left > 0; left--) {
      const History history = reader.history();
      if (static_cast<int32_t>(history.size()) != order - 1)
        throw std::invalid_argument("a history of " + std::to_string(history.size()) + " words among those of order " +
                                    std::to_string(order));
      SamplingState &state = states[history];
      state.backoff = reader.number<float>();
      const size_t count = static_cast<size_t>(reader.count());
      state.words.clear();
      state.words.reserve(std::min(count, reader.at_most(2 * kNumber)));
      for (size_t i = 0; i < count; i++) {
        const int32_t word = reader.number<int32_t>();
        if (word < 0 || word >= vocab_size)
          throw std::invalid_argument("a history has words that are not below " + std::to_string(vocab_size));
        state.words.emplace_back(word, reader.number<float>());
      }
    }
  }
  reader.expect("</SamplingLm> ");
}

}  // namespace kaldi_bridge
