#include "arpa_parser.h"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "text_numbers.h"

namespace kaldi_bridge {
namespace {

constexpr double kLog10 = 2.30258509299404568402;
constexpr int32_t kHighestOrder = 255;
constexpr std::string_view kBlank = " \t\n\r";

bool is_blank(const std::string &line) { return line.find_first_not_of(kBlank) == line.npos; }

void trim_end(std::string *line) { line->erase(line->find_last_not_of(kBlank) + 1); }

bool is_separator(char c) { return c == ' ' || c == '\t'; }

void split(std::string_view line, std::vector<std::string_view> *columns) {
  columns->clear();
  const char *at = line.data(), *const end = at + line.size();
  while (true) {
    while (at < end && is_separator(*at)) at++;
    if (at == end) return;
    const char *const begin = at;
    while (at < end && !is_separator(*at)) at++;
    columns->emplace_back(begin, static_cast<size_t>(at - begin));
  }
}

std::string section(size_t order) { return "\\" + std::to_string(order) + "-grams:"; }

class Parser {
 public:
  Parser(const ArpaOptions &options, ReadBlock read, SymbolTable *words, NgramConsumer *consumer, const Message &info,
         const Message &warn)
      : options_(options), lines_(std::move(read)), words_(words), consumer_(*consumer), info_(info), warn_(warn) {}

  void parse() {
    read_counts();
    consumer_.start(static_cast<int32_t>(counts_.size()));
    for (size_t order = 1; order <= counts_.size(); order++) read_section(order);
    if (line_ != "\\end\\") fail("invalid or unexpected directive line, expecting \\end\\");
    tell_number_of_warnings();
  }

 private:
  // The next line that is whole and not blank. A last line without a newline ends everything, as the end of the file does.
  bool next_line() {
    do {
      line_number_++;
      if (!lines_.next(&line_)) return false;
    } while (is_blank(line_));
    return true;
  }

  std::string where() const { return "line " + std::to_string(line_number_) + " [" + line_ + "]"; }

  [[noreturn]] void fail(const std::string &message) const { throw std::invalid_argument(where() + ": " + message); }

  void skip(const std::string &reason) {
    if (++num_warnings_ <= options_.max_warnings) warn_(where() + " skipped: " + reason);
  }

  void tell_number_of_warnings() const {
    if (num_warnings_ > options_.max_warnings)
      warn_("Of " + std::to_string(num_warnings_) + " parse warnings, " + std::to_string(options_.max_warnings) +
            " were reported. Run program with --max-arpa-warnings=-1 to see all warnings");
  }

  // From \data\ to the line that begins the first section.
  void read_counts() {
    bool found = false;
    while (next_line()) {
      trim_end(&line_);
      if (!found) {
        found = line_ == "\\data\\";
        if (found) info_("Reading \\data\\ section.");
        continue;
      }
      if (line_[0] == '\\') break;
      read_count();
    }
    if (counts_.empty()) fail("\\data\\ section missing or empty.");
  }

  // ngram ORDER=COUNT
  void read_count() {
    if (const size_t equals = line_.find('='); equals != line_.npos) line_.replace(equals, 1, " = ");
    split(line_, &columns_);
    if (columns_.size() != 4 || columns_[0] != "ngram" || columns_[2] != "=") {
      warn_(where() + ": uninterpretable line in \\data\\ section");
      return;
    }
    int32_t order, count;
    if (!parse_int32(columns_[1], &order) || !parse_int32(columns_[3], &count) || order < 1 || order > kHighestOrder)
      fail("cannot parse ngram count");
    if (counts_.size() < static_cast<size_t>(order)) counts_.resize(order);
    counts_[order - 1] = count;
  }

  void read_section(size_t order) {
    const int32_t expected = counts_[order - 1];
    if (expected == 0)
      warn_("Zero ngram count in ngram order " + std::to_string(order) + "(look for 'ngram " + std::to_string(order) +
            "=0' in the \\data\\  section). There is possibly a problem with the file.");
    if (line_ != section(order)) fail("invalid directive, expecting '" + section(order) + "'");
    info_("Reading " + line_ + " section.");
    int64_t count = 0;
    ngram_.words.resize(order);
    while (next_line() && !is_end_of_section(order)) {
      read_ngram(order);
      count++;
    }
    if (count > expected)
      fail("header said there would be " + std::to_string(expected) + " n-grams of order " + std::to_string(order) +
           ", but we saw more already.");
  }

  bool is_end_of_section(size_t order) {
    if (line_[0] != '\\') return false;
    trim_end(&line_);
    if (line_ == section(order + 1) || line_ == "\\end\\") return true;
    if (++num_warnings_ <= options_.max_warnings)
      warn_("ignoring possible directive '" + line_ + "' expecting '" + section(order + 1) + "'");
    return false;
  }

  int32_t number_of(std::string_view word) {
    if (words_ != nullptr) return options_.add_words ? words_->add(word) : words_->find(word);
    int32_t number;
    if (!parse_int32(word, &number) || number < 0) fail("invalid symbol '" + std::string(word) + "'");
    return number;
  }

  // LOGPROB WORD... [BACKOFF], separated by spaces or tabs; the longest n-grams have no backoff.
  void read_ngram(size_t order) {
    split(line_, &columns_);
    const bool has_backoff = columns_.size() == order + 2 && order < counts_.size();
    if (columns_.size() != order + 1 && !has_backoff) fail("Invalid n-gram data line");
    ngram_.logprob = number(columns_[0], "n-gram logprob");
    ngram_.backoff = has_backoff ? number(columns_[order + 1], "backoff weight") : 0.0f;
    for (size_t i = 0; i < order; i++) {
      const std::string_view word = columns_[i + 1];
      const int32_t found = number_of(word);
      if (found == SymbolTable::kNoSymbol && options_.need_words)
        fail("word '" + std::string(word) + "' not in symbol table");
      if (found == SymbolTable::kNoSymbol) return skip("word '" + std::string(word) + "' not in symbol table");
      if (found == 0) fail("epsilon symbol '" + std::string(word) + "' is illegal in ARPA LM");
      ngram_.words[i] = found;
    }
    const char *reason;
    try {
      reason = consumer_.consume(ngram_);
    } catch (const std::invalid_argument &error) {
      fail(error.what());
    }
    if (reason != nullptr) skip(reason);
  }

  float number(std::string_view text, const char *what) const {
    float log10;
    if (!parse_float(text, &log10)) fail("invalid " + std::string(what) + " '" + std::string(text) + "'");
    return static_cast<float>(log10 * kLog10);
  }

  const ArpaOptions options_;
  LineReader lines_;
  SymbolTable *const words_;
  NgramConsumer &consumer_;
  const Message &info_, &warn_;
  std::string line_;
  int64_t line_number_ = 0;
  uint32_t num_warnings_ = 0;
  std::vector<int32_t> counts_;  // of n-grams by order, as the file says
  std::vector<std::string_view> columns_;
  Ngram ngram_;
};

}  // namespace

void parse_arpa(const ArpaOptions &options, ReadBlock read, SymbolTable *words, NgramConsumer *consumer,
                const Message &info, const Message &warn) {
  Parser(options, std::move(read), words, consumer, info, warn).parse();
}

}  // namespace kaldi_bridge
