#include "mikolov_rnnlm.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace kaldi_bridge {

namespace {

constexpr uint32_t kPrimes[] = {
    108641969, 116049371, 125925907, 133333309, 145678979, 175308587, 197530793, 234567803, 251851741,
    264197411, 330864029, 399999781, 407407183, 459258997, 479012069, 545678687, 560493491, 607407037,
    629629243, 656789717, 716048933, 718518067, 725925469, 733332871, 753085943, 755555077, 782715551,
    790122953, 812345159, 814814293, 893826581, 923456189, 940740127, 953085797, 985184539, 990122807};
constexpr uint32_t kNumPrimes = sizeof(kPrimes) / sizeof(kPrimes[0]);
constexpr uint32_t kFirstHash = kPrimes[0] * kPrimes[1];  // of 32 bits
constexpr double kUnknown = -16.118;

// The upper half of a double made from y, the lower one 0 (N. Schraudolph, "A fast, compact approximation of the
// exponential function", 1999).
double fast_exp(double y) {
  const auto upper = static_cast<int32_t>(1048576 / 0.69314718055994530942 * y + (1072693248 - 60801));
  const int64_t bits = static_cast<int64_t>(upper) << 32;
  double made;
  std::memcpy(&made, &bits, sizeof(made));
  return made;
}

double bounded(double value) { return std::min(std::max(value, -50.0), 50.0); }

template <class T>
void add_product(const T *x, int32_t size, const double *weights, int64_t stride, double *sums, int32_t count) {
  for (int32_t i = 0; i < size; i++) {
    const double factor = x[i], *row = weights + i * stride;
    for (int32_t k = 0; k < count; k++) sums[k] += factor * row[k];
  }
}

void apply_sigmoid(std::vector<double> *values) {
  for (double &value : *values) value = 1 / (1 + fast_exp(-bounded(value)));
}

void apply_softmax(std::vector<double> *values) {
  double sum = 0;
  for (double &value : *values) sum += value = fast_exp(bounded(value));
  for (double &value : *values) value /= sum;
}

}  // namespace

MikolovModel::MikolovModel(const MikolovNetwork *network, int32_t order) : network_(*network), order_(order) {
  find({}, std::vector<float>(network->hidden, 1.0f));
}

int32_t MikolovModel::find(History labels, const std::vector<float> &before) {
  const auto [place, is_new] = numbers_.try_emplace(std::move(labels), static_cast<int32_t>(states_.size()));
  if (is_new) states_.push_back({&place->first, before, {}, {}, {}});
  return place->second;
}

// Newest first; word 0, </s>, stands before the first one.
std::vector<int32_t> MikolovModel::last_words(const State &state) const {
  std::vector<int32_t> words(std::max(network_.direct_order, 1), 0);
  const size_t count = std::min(words.size(), state.labels->size());
  for (size_t i = 0; i < count; i++) words[i] = network_.numbers[(*state.labels)[state.labels->size() - 1 - i]];
  return words;
}

// The places of weights, from `begin` to `begin + size`, of the last 0, 1, ... words; 0 where an unknown one is among them.
std::vector<uint64_t> MikolovModel::places_of(const std::vector<int32_t> &last, uint64_t first, uint64_t begin,
                                              uint64_t size) const {
  std::vector<uint64_t> places(network_.direct_order, 0);
  for (int32_t n = 0; n < network_.direct_order; n++) {
    if (n > 0 && last[n - 1] < 0) break;
    uint64_t hash = first;
    for (int32_t k = 1; k <= n; k++) {
      const uint32_t prime = (static_cast<uint32_t>(n) * kPrimes[k] + static_cast<uint32_t>(k)) % kNumPrimes;
      hash += kPrimes[prime] * static_cast<uint64_t>(last[k - 1] + 1);
    }
    places[n] = begin + hash % size;
  }
  return places;
}

MikolovModel::State &MikolovModel::computed(int32_t number) {
  State &state = states_[number];
  if (!state.features.empty()) return state;
  const MikolovNetwork &net = network_;
  const std::vector<int32_t> last = last_words(state);
  std::vector<double> hidden(net.hidden, 0.0);
  add_product(state.before.data(), net.hidden, net.recurrent, net.hidden, hidden.data(), net.hidden);
  if (last[0] >= 0)
    for (int32_t k = 0; k < net.hidden; k++) hidden[k] += net.input[static_cast<int64_t>(last[0]) * net.hidden + k];
  apply_sigmoid(&hidden);
  state.after.assign(hidden.begin(), hidden.end());
  state.features = hidden;
  if (net.compression > 0) {
    state.features.assign(net.compression, 0.0);
    add_product(hidden.data(), net.hidden, net.compressing, net.compression, state.features.data(), net.compression);
    apply_sigmoid(&state.features);
  }
  state.classes.assign(net.classes, 0.0);
  add_product(state.features.data(), static_cast<int32_t>(state.features.size()), net.output + net.words,
              net.words + net.classes, state.classes.data(), net.classes);
  if (net.num_direct > 0) {
    const std::vector<uint64_t> places = places_of(last, kFirstHash, 0, net.num_direct / 2);
    for (int32_t c = 0; c < net.classes; c++)
      for (size_t n = 0; n < places.size() && places[n] != 0; n++) state.classes[c] += net.direct[places[n] + c];
  }
  apply_softmax(&state.classes);
  return state;
}

float MikolovModel::cost(const State &state, int32_t label) const {
  const MikolovNetwork &net = network_;
  const int32_t word = network_.numbers[label];
  float log_prob = network_.penalties[label];
  if (word < 0) return -static_cast<float>(log_prob + kUnknown);
  const int32_t own = net.class_of[word], first = net.first_of_class[own];
  std::vector<double> probs(net.first_of_class[own + 1] - first, 0.0);
  add_product(state.features.data(), static_cast<int32_t>(state.features.size()), net.output + first,
              net.words + net.classes, probs.data(), static_cast<int32_t>(probs.size()));
  if (net.num_direct > 0) {
    const uint64_t half = net.num_direct / 2;
    std::vector<uint64_t> places = places_of(last_words(state), kFirstHash * static_cast<uint64_t>(own + 1), half, half);
    for (double &prob : probs) {
      for (uint64_t &place : places) {
        if (place == 0) break;
        prob += net.direct[place];
        place = (place + 1) % net.num_direct;
      }
    }
  }
  apply_softmax(&probs);
  return -static_cast<float>(log_prob + std::log(state.classes[own] * probs[word - first]));
}

float MikolovModel::final(int32_t state) { return cost(computed(state), static_cast<int32_t>(network_.numbers.size()) - 1); }

bool MikolovModel::follow(int32_t number, int32_t word, Step *step) {
  if (static_cast<size_t>(word) + 1 >= network_.numbers.size())
    throw std::invalid_argument("word " + std::to_string(word) + " is not in the symbol table");
  const auto [known, is_new] = steps_.try_emplace(pair_key(number, word));
  if (is_new) {
    State &state = computed(number);
    known->second.cost = cost(state, word);
    const std::vector<float> after = state.after;  // find() may move the state
    known->second.next = find(longer(*state.labels, word, order_), after);
  }
  *step = known->second;
  return true;
}

}  // namespace kaldi_bridge
