#include "lattice_alignment.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace kaldi_bridge {

namespace {

struct Waiting {  // what has been collected on the way to a state
  Ids ids, words;

  bool empty() const { return ids.empty() && words.empty(); }
  bool operator==(const Waiting &other) const { return ids == other.ids && words == other.words; }
};

struct Place {
  int32_t state;
  Waiting waiting;

  bool operator==(const Place &other) const { return state == other.state && waiting == other.waiting; }
};

size_t hash_of(const Ids &ids) {
  size_t hash = 0;
  for (int32_t id : ids) hash = hash * 7853 + static_cast<size_t>(id);
  return hash;
}

struct PlaceHash {
  size_t operator()(const Place &place) const {
    return place.state + 102763 * (hash_of(place.waiting.ids) + 90647 * hash_of(place.waiting.words));
  }
};

void drop_front(Ids *ids, size_t count) { ids->erase(ids->begin(), ids->begin() + count); }

// What phones and words have in common: the search for places.
class Aligner {
 public:
  using Arc = CompactStates::Arc;

  Aligner(const FlatCompactLattice &lattice, const Transitions &transitions, bool reorder)
      : lattice_(states_of(lattice)), transitions_(transitions), reorder_(reorder) {
    make_super_final(&lattice_);
  }
  virtual ~Aligner() = default;

  Aligned align(int32_t max_states, bool without_epsilons) {
    if (lattice_.start < 0) {
      warn("Trying to word-align empty lattice.");
      whole_ = false;
    } else {
      made_.start = number({lattice_.start, {}});
      while (!queue_.empty()) {
        if (max_states > 0 && made_.num_states() > max_states) {
          warn("Number of states in lattice exceeded max-states of " + std::to_string(max_states) +
               ", original lattice had " + std::to_string(lattice_.num_states()) + " states.  Returning what we have.");
          whole_ = false;
          break;
        }
        step();
      }
    }
    if (without_epsilons) remove_epsilons(&made_);
    finish(&made_);
    return {flat(made_), std::move(warnings_), whole_};
  }

 protected:
  // Takes a whole phone or word from the front of what waits; false: there is none yet.
  virtual bool take(Waiting *waiting, Arc *arc) = 0;
  // Takes what waits at the end of the lattice.
  virtual void force(Waiting *waiting, Arc *arc) = 0;
  virtual bool keeps_words() const { return true; }
  virtual void finish(CompactStates *) {}

  void warn(const std::string &message) { warnings_.push_back(message); }
  void fail(const std::string &message) {  // only the first problem of a lattice is told
    if (whole_) warn(message);
    whole_ = false;
  }

  int32_t phone(int32_t id) const { return transitions_.phones[id]; }
  bool leaves(int32_t id) const { return transitions_.finals[id]; }
  bool loops(int32_t id) const { return transitions_.loops[id]; }

  // Behind the final transition from `i` on and its self-loops; the number of ids where the end is not known yet.
  size_t end_of_phone(const Ids &ids, size_t i) const {
    while (i < ids.size() && !leaves(ids[i])) i++;
    if (i == ids.size()) return i;
    i++;
    while (reorder_ && i < ids.size() && loops(ids[i])) i++;
    return i;
  }

  static Arc taken(Waiting *waiting, int32_t label, size_t count) {
    Arc arc = {label, {0.0f, 0.0f}, Ids(waiting->ids.begin(), waiting->ids.begin() + count), -1};
    drop_front(&waiting->ids, count);
    return arc;
  }

  CompactStates lattice_;
  const Transitions &transitions_;
  const bool reorder_;

  bool whole_ = true;

 private:
  int32_t number(const Place &place) {
    const auto [found, is_new] = numbers_.try_emplace(place, made_.num_states());
    if (is_new) {
      made_.add();
      queue_.push_back(&*found);
    }
    return found->second;
  }

  void step() {
    const std::pair<const Place, int32_t> &next = *queue_.back();
    queue_.pop_back();
    Place place = next.first;
    const int32_t here = next.second;
    Arc arc;
    if (take(&place.waiting, &arc)) {
      arc.nextstate = number(place);
      made_.arcs[here].push_back(std::move(arc));
      return;
    }
    if (is_final(lattice_.finals[place.state].weight)) {
      if (place.waiting.empty()) {
        made_.finals[here].weight = {0.0f, 0.0f};
      } else {
        force(&place.waiting, &arc);
        arc.nextstate = number(place);
        made_.arcs[here].push_back(std::move(arc));
      }
    }
    for (const Arc &way : lattice_.arcs[place.state]) {
      Place target = {way.nextstate, next.first.waiting};
      target.waiting.ids.insert(target.waiting.ids.end(), way.ids.begin(), way.ids.end());
      if (way.label != 0 && keeps_words()) target.waiting.words.push_back(way.label);
      const int32_t there = number(target);
      made_.arcs[here].push_back({0, way.weight, {}, there});
    }
  }

  CompactStates made_;
  std::unordered_map<Place, int32_t, PlaceHash> numbers_;
  std::vector<const std::pair<const Place, int32_t> *> queue_;
  std::vector<std::string> warnings_;
};

class PhoneAligner : public Aligner {
 public:
  PhoneAligner(const FlatCompactLattice &lattice, const Transitions &transitions, bool reorder, bool phones_as_labels)
      : Aligner(lattice, transitions, reorder), phones_as_labels_(phones_as_labels) {}

 protected:
  bool keeps_words() const override { return !phones_as_labels_; }

  bool take(Waiting *waiting, Arc *arc) override { return take_phone(waiting, arc) || take_word(waiting, arc); }

  void force(Waiting *waiting, Arc *arc) override {
    const Ids &ids = waiting->ids;
    if (!ids.empty()) {
      int32_t ends = 0;
      for (int32_t id : ids) {
        ends += leaves(id);
        if (phone(id) != phone(ids[0])) fail("Mismatch in phone: error in lattice or mismatched transition model?");
      }
      if (ends != 1)
        fail("Problem phone-aligning lattice: saw " + std::to_string(ends) +
             " final-states in last phone in lattice (forced out?) Producing partial lattice.");
    }
    *arc = labelled(waiting, ids.size());
  }

 private:
  bool take_phone(Waiting *waiting, Arc *arc) {
    const Ids &ids = waiting->ids;
    if (ids.empty()) return false;
    for (size_t i = 0; i < ids.size(); i++) {
      if (phone(ids[i]) != phone(ids[0]))
        fail("Phone changed before final transition-id found "
             "[broken lattice or mismatched model or wrong --reorder option?]");
      if (leaves(ids[i])) break;
    }
    const size_t end = end_of_phone(ids, 0);
    if (end == ids.size()) return false;
    *arc = labelled(waiting, end);
    return true;
  }

  // Where several words wait, one goes without a phone: too many ways to share them out otherwise.
  bool take_word(Waiting *waiting, Arc *arc) {
    if (waiting->words.size() < 2) return false;
    *arc = {waiting->words[0], {0.0f, 0.0f}, {}, -1};
    drop_front(&waiting->words, 1);
    return true;
  }

  Arc labelled(Waiting *waiting, size_t count) {
    int32_t label = 0;
    if (!waiting->words.empty()) {
      label = waiting->words[0];
      drop_front(&waiting->words, 1);
    }
    if (phones_as_labels_ && count > 0) label = phone(waiting->ids[0]);
    return taken(waiting, label, count);
  }

  const bool phones_as_labels_;
};

class WordAligner : public Aligner {
 public:
  WordAligner(const FlatCompactLattice &lattice, const Transitions &transitions, const WordBoundaries &boundaries)
      : Aligner(lattice, transitions, boundaries.reorder), boundaries_(boundaries) {
    // Labels of silence and of partial words are other than 0 until epsilons are removed.
    int32_t unused = 0;
    for (const FlatCompactArc &arc : lattice.arcs) unused = std::max(unused, arc.label);
    unused = std::max({unused, boundaries.partial_word_label, boundaries.silence_label}) + 1;
    partial_ = boundaries.partial_word_label ? boundaries.partial_word_label : unused++;
    silence_ = boundaries.silence_label ? boundaries.silence_label : unused;
  }

 protected:
  bool take(Waiting *waiting, Arc *arc) override {
    if (waiting->ids.empty()) return false;
    const PhoneKind first = kind(waiting->ids[0]);
    if (first == PhoneKind::kNonword) return take_silence(waiting, arc);
    if (waiting->words.empty()) return false;
    if (first == PhoneKind::kBegin) return take_word(waiting, arc);
    if (first == PhoneKind::kSingleton) return take_singleton(waiting, arc);
    return false;
  }

  void force(Waiting *waiting, Arc *arc) override {
    Ids &ids = waiting->ids, &words = waiting->words;
    if (words.empty()) {
      *arc = taken(waiting, kind(ids[0]) == PhoneKind::kNonword ? last_silence(ids) : partial_word(), ids.size());
    } else if (ids.empty()) {
      fail("Discarding word-ids at the end of a sentence, that don't have alignments.");
      words.clear();
      *arc = {0, {0.0f, 0.0f}, {}, -1};
    } else {
      if (!may_be_word(ids)) fail("Invalid word at end of lattice [partial lattice, forced out?]");
      *arc = taken(waiting, words[0], ids.size());
      drop_front(&words, 1);
    }
  }

  void finish(CompactStates *made) override {
    for (auto &out : made->arcs)
      for (Arc &arc : out)
        if ((arc.label == silence_ && boundaries_.silence_label == 0) ||
            (arc.label == partial_ && boundaries_.partial_word_label == 0))
          arc.label = 0;
  }

 private:
  PhoneKind kind(int32_t id) const {
    const size_t p = static_cast<size_t>(phone(id));
    if (p >= boundaries_.kinds.size())
      throw std::invalid_argument("phone " + std::to_string(p) + " was not specified in the word-boundary file");
    return static_cast<PhoneKind>(boundaries_.kinds[p]);
  }

  // Whether the phone that begins at `from` keeps to one phone until its final transition.
  bool is_one_phone(const Ids &ids, size_t from) const {
    for (size_t i = from; i < ids.size(); i++) {
      if (phone(ids[i]) != phone(ids[from])) return false;
      if (leaves(ids[i])) break;
    }
    return true;
  }

  static constexpr const char *kChangedBeforeEnd =
      "Phone changed before final transition-id found [broken lattice or mismatched model or wrong --reorder option?]";
  static constexpr const char *kChanged = "Phone changed unexpectedly in lattice [broken lattice or mismatched model?]";

  bool take_silence(Waiting *waiting, Arc *arc) {
    const Ids &ids = waiting->ids;
    if (!is_one_phone(ids, 0)) fail(kChangedBeforeEnd);
    const size_t end = end_of_phone(ids, 0);
    if (end == ids.size()) return false;
    if (phone(ids[end - 1]) != phone(ids[0]) && whole_) warn(kChanged);
    *arc = taken(waiting, silence_, end);
    return true;
  }

  bool take_singleton(Waiting *waiting, Arc *arc) {
    const Ids &ids = waiting->ids;
    if (!is_one_phone(ids, 0) && whole_) warn(kChangedBeforeEnd);
    const size_t end = end_of_phone(ids, 0);
    if (end == ids.size()) return false;
    if (phone(ids[end - 1]) != phone(ids[0])) fail(kChanged);
    *arc = taken(waiting, waiting->words[0], end);
    drop_front(&waiting->words, 1);
    return true;
  }

  // A word of two phones at least: the one it begins with, those inside, the one it ends with.
  bool take_word(Waiting *waiting, Arc *arc) {
    const Ids &ids = waiting->ids;
    size_t i = end_of_phone(ids, 0);
    if (i == ids.size()) return false;
    if (phone(ids[i - 1]) != phone(ids[0])) fail(kChanged);
    for (; i < ids.size() && kind(ids[i]) != PhoneKind::kEnd; i++)
      if (kind(ids[i]) != PhoneKind::kInternal)
        fail("Unexpected phone " + std::to_string(phone(ids[i])) + " found inside a word.");
    if (i == ids.size()) return false;
    if (!is_one_phone(ids, i)) fail(kChangedBeforeEnd);
    const size_t end = end_of_phone(ids, i);
    if (end == ids.size()) return false;
    if (phone(ids[end - 1]) != phone(ids[i]))
      fail("Phone changed while following final self-loop "
           "[broken lattice or mismatched model or wrong --reorder option?]");
    *arc = taken(waiting, waiting->words[0], end);
    drop_front(&waiting->words, 1);
    return true;
  }

  // Whether the last phone has been left.
  bool ends(const Ids &ids) const {
    size_t i = ids.size() - 1;
    while (reorder_ && i > 0 && loops(ids[i])) i--;
    return leaves(ids[i]);
  }

  bool may_be_word(const Ids &ids) const {
    const PhoneKind first = kind(ids.front()), last = kind(ids.back());
    const bool one = first == PhoneKind::kSingleton && phone(ids.front()) == phone(ids.back());
    return (one || (first == PhoneKind::kBegin && last == PhoneKind::kEnd)) && ends(ids);
  }

  int32_t last_silence(const Ids &ids) {
    if (phone(ids.front()) != phone(ids.back()) && whole_)
      throw std::invalid_argument("the phone changes within silence at the end of the lattice");
    if (whole_ && !ends(ids)) fail("Broken silence arc at end of utterance (does not reach end of silence)");
    return silence_;
  }

  int32_t partial_word() {
    fail("Partial word detected at end of utterance");
    return partial_;
  }

  const WordBoundaries &boundaries_;
  int32_t partial_, silence_;
};

bool is_deterministic(const FlatCompactLattice &lattice) {
  for (int32_t s = 0; s < lattice.num_states(); s++) {
    std::set<int32_t> labels = {0};
    for (int64_t i = lattice.offsets[s]; i < lattice.offsets[s + 1]; i++)
      if (!labels.insert(lattice.arcs[i].label).second) return false;
  }
  return true;
}

constexpr const char *kNotDeterministic =
    "[Lattice has input epsilons and/or is not input-deterministic (in Mohri sense)]-- i.e. lattice is not "
    "deterministic.  Word-alignment may be slow and-or blow up in memory.";

// How lately something has come to wait, so that each sequence of phones is tried with each word once only.
enum class Freshness { kNot, kLast, kAll };  // the last phone or the first word is new; all phones are

struct LexiconPlace {
  int32_t state = 0;
  std::vector<Ids> ids;  // of each phone
  Ids phones, words;
  Freshness phones_fresh = Freshness::kNot;
  bool word_fresh = false;

  bool empty() const { return ids.empty() && words.empty(); }
  bool operator==(const LexiconPlace &other) const {
    return state == other.state && word_fresh == other.word_fresh && phones_fresh == other.phones_fresh &&
           words == other.words && ids == other.ids;
  }
};

struct LexiconPlaceHash {
  size_t operator()(const LexiconPlace &place) const {
    size_t hash = 90647 * hash_of(place.words) + 3967 * place.word_fresh + 3557 * static_cast<size_t>(place.phones_fresh);
    for (const Ids &ids : place.ids) hash = hash * 11117 + hash_of(ids);
    return place.state + 102763 * hash;
  }
};

class LexiconAligner {
 public:
  using Arc = CompactStates::Arc;

  LexiconAligner(CompactStates lattice, const Transitions &transitions, const AlignmentLexicon &lexicon,
                 int32_t partial_word_label)
      : lattice_(std::move(lattice)),
        transitions_(transitions),
        lexicon_(lexicon),
        partial_(partial_word_label ? partial_word_label : AlignmentLexicon::kTemporaryEpsilon) {
    make_super_final(&lattice_);
  }

  Aligned align(int32_t max_states) {
    if (lattice_.start < 0) {
      warnings_.push_back("Trying to word-align empty lattice.");
      return {flat({}), std::move(warnings_), false};
    }
    LexiconPlace first;
    first.state = lattice_.start;
    made_.start = number(first);
    while (!queue_.empty()) {
      if (max_states > 0 && made_.num_states() > max_states) {
        warnings_.push_back("Number of states in lattice exceeded max-states of " + std::to_string(max_states) +
                            ", original lattice had " + std::to_string(lattice_.num_states()) +
                            " states.  Returning empty lattice.");
        return {flat({}), std::move(warnings_), false};
      }
      step();
    }
    end();
    connect(&made_);
    remove_epsilons(&made_);
    for (auto &out : made_.arcs)
      for (Arc &arc : out)
        if (arc.label == AlignmentLexicon::kTemporaryEpsilon) arc.label = 0;
    return {flat(made_), std::move(warnings_), whole_};
  }

 private:
  using Entry = std::pair<const LexiconPlace, int32_t>;

  int32_t number(const LexiconPlace &place) {
    const auto [found, is_new] = numbers_.try_emplace(place, made_.num_states());
    if (is_new) {
      made_.add();
      queue_.push_back(&*found);
    }
    return found->second;
  }

  void step() {
    const Entry &entry = *queue_.back();
    queue_.pop_back();
    const auto &[place, here] = entry;
    take_silences(place, here);
    take_words(place, here);
    if (place.phones.empty() || place.words.empty() || lexicon_.may_go_on(place.phones, place.words[0]))
      go_on(place, here);
    if (is_final(lattice_.finals[place.state].weight)) ends_.push_back(&entry);
  }

  // What the lexicon has for no word: silence, as a rule.
  void take_silences(const LexiconPlace &place, int32_t here) {
    const auto *lengths = lexicon_.lengths_of(0);
    if (!lengths || place.phones_fresh == Freshness::kNot) return;
    const int32_t phones = static_cast<int32_t>(place.phones.size());
    const bool all = place.phones_fresh == Freshness::kAll;
    for (int32_t n = all ? lengths->first : std::max(phones, lengths->first); n <= std::min(phones, lengths->second); n++)
      take(place, here, 0, n);
  }

  void take_words(const LexiconPlace &place, int32_t here) {
    if (place.words.empty()) return;
    const int32_t word = place.words[0], phones = static_cast<int32_t>(place.phones.size());
    if (place.word_fresh || place.phones_fresh == Freshness::kAll) {
      const auto *lengths = lexicon_.lengths_of(word);
      if (!lengths) throw std::invalid_argument("word " + std::to_string(word) + " is not present in the lexicon");
      for (int32_t n = lengths->first; n <= std::min(lengths->second, phones); n++) take(place, here, word, n);
    } else if (place.phones_fresh == Freshness::kLast) {
      take(place, here, word, phones);
    }
  }

  // An arc of the first `count` phones and the word, if the lexicon has it.
  void take(const LexiconPlace &place, int32_t here, int32_t word, int32_t count) {
    Ids key = {word};
    key.insert(key.end(), place.phones.begin(), place.phones.begin() + count);
    const int32_t result = lexicon_.result_of(key);
    if (result == 0) return;
    LexiconPlace next;
    next.state = place.state;
    next.phones.assign(place.phones.begin() + count, place.phones.end());
    next.ids.assign(place.ids.begin() + count, place.ids.end());
    next.words.assign(place.words.begin() + (word != 0), place.words.end());
    next.word_fresh = word != 0 && !next.words.empty();
    // After a word without phones, what comes next may be phones without a word: all are fresh again.
    next.phones_fresh = !next.phones.empty() && (count > 0 || word != 0) ? Freshness::kAll : Freshness::kNot;
    Ids ids;
    for (int32_t i = 0; i < count; i++) ids.insert(ids.end(), place.ids[i].begin(), place.ids[i].end());
    add_arc(here, {result, {0.0f, 0.0f}, std::move(ids), -1}, next);
  }

  void go_on(const LexiconPlace &place, int32_t here) {
    for (const Arc &way : lattice_.arcs[place.state]) {
      LexiconPlace next = place;
      next.state = way.nextstate;
      if (way.label != 0) next.words.push_back(way.label);
      next.word_fresh = way.label != 0 && next.words.size() == 1;
      next.phones_fresh = Freshness::kNot;
      if (!way.ids.empty()) {
        if (transitions_.phones[way.ids.front()] != transitions_.phones[way.ids.back()])
          throw std::invalid_argument("the phone changes before its final transition (a wrong model, or --reorder?)");
        next.phones.push_back(transitions_.phones[way.ids[0]]);
        next.ids.push_back(way.ids);
        next.phones_fresh = Freshness::kLast;
      }
      add_arc(here, {0, way.weight, {}, -1}, next);
    }
  }

  void add_arc(int32_t here, Arc &&arc, const LexiconPlace &next) {
    arc.nextstate = number(next);
    made_.arcs[here].push_back(std::move(arc));
  }

  void end() {
    if (ends_.empty()) {
      fail("No final-probs to process.");
      return;
    }
    if (make_final(ends_)) return;
    fail("Word-aligning lattice: lattice was forced out, will have partial words at end.");
    std::vector<const Entry *> forced;
    for (const Entry *entry : ends_)
      if (!has_whole_arcs(entry->second)) forced.push_back(force(*entry));
    queue_.clear();
    if (!make_final(forced))
      fail("Word-aligning lattice: had no final-states even after forcing out (result will be empty).  "
           "This probably indicates wrong input.");
  }

  bool make_final(const std::vector<const Entry *> &entries) {
    bool any = false;
    for (const Entry *entry : entries) {
      if (!entry->first.empty()) continue;
      made_.finals[entry->second].weight = {0.0f, 0.0f};
      any = true;
    }
    return any;
  }

  bool has_whole_arcs(int32_t state) const {
    const auto &out = made_.arcs[state];
    return std::any_of(out.begin(), out.end(), [](const Arc &arc) { return arc.label != 0 || !arc.ids.empty(); });
  }

  const Entry *force(const Entry &entry) {
    const auto &[place, here] = entry;
    if (place.words.size() > 1)
      warnings_.push_back("Word-aligning lattice: discarding extra word at end of lattice(forced-out).");
    Ids ids;
    for (const Ids &some : place.ids) ids.insert(ids.end(), some.begin(), some.end());
    LexiconPlace next;
    next.state = place.state;
    next.phones_fresh = Freshness::kLast;
    next.word_fresh = true;
    add_arc(here, {place.words.empty() ? partial_ : place.words[0], {0.0f, 0.0f}, std::move(ids), -1}, next);
    return &*numbers_.find(next);
  }

  void fail(const std::string &message) {
    warnings_.push_back(message);
    whole_ = false;
  }

  CompactStates lattice_, made_;
  const Transitions &transitions_;
  const AlignmentLexicon &lexicon_;
  const int32_t partial_;
  std::unordered_map<LexiconPlace, int32_t, LexiconPlaceHash> numbers_;
  std::vector<const Entry *> queue_, ends_;
  std::vector<std::string> warnings_;
  bool whole_ = true;
};

}  // namespace

Aligned align_phones(const FlatCompactLattice &lattice, const Transitions &transitions, bool reorder,
                     bool phones_as_labels, bool without_epsilons) {
  return PhoneAligner(lattice, transitions, reorder, phones_as_labels).align(0, without_epsilons);
}

Aligned align_words(const FlatCompactLattice &lattice, const Transitions &transitions, const WordBoundaries &boundaries,
                    int32_t max_states) {
  Aligned aligned = WordAligner(lattice, transitions, boundaries).align(max_states, true);
  if (!is_deterministic(lattice)) aligned.warnings.insert(aligned.warnings.begin(), kNotDeterministic);
  return aligned;
}

size_t AlignmentLexicon::Hash::operator()(const Ids &ids) const { return hash_of(ids); }

AlignmentLexicon::AlignmentLexicon(const std::vector<Ids> &lines) {
  for (const Ids &line : lines) {
    if (line.size() < 2) throw std::invalid_argument("a line of the lexicon must have two words");
    const int32_t word = line[0], result = line[1] ? line[1] : kTemporaryEpsilon;
    const int32_t phones = static_cast<int32_t>(line.size()) - 2;
    if (word < 0) throw std::invalid_argument("a word of the lexicon is negative");
    for (int32_t n = 1; n < phones; n++) prefixes_[Ids(line.begin() + 2, line.begin() + 2 + n)].push_back(word);
    Ids key = {word};
    key.insert(key.end(), line.begin() + 2, line.end());
    const auto [entry, is_new] = words_.try_emplace(std::move(key), result);
    if (!is_new && entry->second != result)
      throw std::invalid_argument("Duplicate entry in lexicon map for word " + std::to_string(word) +
                                  " with inconsistent to-word.");
    if (!is_new) warnings.push_back("Duplicate entry in lexicon map for word " + std::to_string(word));
    auto &lengths = lengths_.try_emplace(word, phones, phones).first->second;
    lengths = {std::min(lengths.first, phones), std::max(lengths.second, phones)};
    if (word == 0 && lengths.first == 0)
      throw std::invalid_argument("Zero word with empty pronunciation is not allowed.");
  }
  for (auto &prefix : prefixes_) {
    Ids &words = prefix.second;
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
  }
}

int32_t AlignmentLexicon::result_of(const Ids &key) const {
  const auto found = words_.find(key);
  return found == words_.end() ? 0 : found->second;
}

bool AlignmentLexicon::may_go_on(const Ids &phones, int32_t word) const {
  const auto found = prefixes_.find(phones);
  if (found == prefixes_.end()) return false;
  const Ids &words = found->second;
  return words.front() == 0 || std::binary_search(words.begin(), words.end(), word);
}

const std::pair<int32_t, int32_t> *AlignmentLexicon::lengths_of(int32_t word) const {
  const auto found = lengths_.find(word);
  return found == lengths_.end() ? nullptr : &found->second;
}

Aligned align_words_by_lexicon(const FlatCompactLattice &lattice, const Transitions &transitions,
                               const AlignmentLexicon &lexicon, int32_t partial_word_label, bool reorder,
                               float max_expand) {
  Aligned phones = align_phones(lattice, transitions, reorder, false, false);
  if (!is_deterministic(lattice)) phones.warnings.insert(phones.warnings.begin(), kNotDeterministic);
  const int32_t max_states =
      max_expand > 0.0f ? static_cast<int32_t>(1000 + max_expand * static_cast<float>(phones.lattice.num_states())) : -1;
  Aligned aligned = LexiconAligner(states_of(phones.lattice), transitions, lexicon, partial_word_label).align(max_states);
  aligned.warnings.insert(aligned.warnings.begin(), phones.warnings.begin(), phones.warnings.end());
  aligned.whole = aligned.whole && phones.whole;
  return aligned;
}

}  // namespace kaldi_bridge
