#include "text_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <locale>
#include <sstream>
#include <string>

namespace kaldi_bridge {
namespace {

constexpr std::string_view kSpace = " \t\n\r\f\v";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number as written: mantissa * 10^exponent, the mantissa's digits counted from the first that is not 0.
struct Decimal {
  bool negative = false;
  uint64_t mantissa = 0;
  int digits = 0;
  int exponent = 0;
};

constexpr int kExactDigits = 15, kExactPower = 22;  // what a double holds without rounding

// Reads [+-]digits[.digits][e[+-]digits]. The mantissa is only right up to kExactDigits digits.
bool scan(std::string_view text, Decimal *number) {
  const char *at = text.data(), *const end = at + text.size();
  if (at < end && (*at == '+' || *at == '-')) number->negative = *at++ == '-';
  bool any = false;
  const auto take_digits = [&](int exponent_step) {
    for (; at < end && is_digit(*at); at++) {
      any = true;
      number->mantissa = number->mantissa * 10 + static_cast<uint64_t>(*at - '0');
      if (number->mantissa != 0) number->digits++;
      number->exponent += exponent_step;
    }
  };
  take_digits(0);
  if (at < end && *at == '.') {
    at++;
    take_digits(-1);
  }
  if (!any) return false;
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '+' || *at == '-')) at++;
    if (at == end) return false;
    int power = 0;
    for (; at < end && is_digit(*at); at++) power = std::min(power * 10 + (*at - '0'), 100000);
    number->exponent += negative ? -power : power;
  }
  return at == end;
}

// The float nearest to the number, where a double shows which one that is.
bool nearest(const Decimal &number, float *value) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (number.digits > kExactDigits || std::abs(number.exponent) > kExactPower) return false;
  double exact = static_cast<double>(number.mantissa);
  exact = number.exponent < 0 ? exact / kPowers[-number.exponent] : exact * kPowers[number.exponent];
  uint64_t bits;
  std::memcpy(&bits, &exact, sizeof bits);
  const bool half_way = (bits & 0x1fffffff) == 0x10000000;  // between two floats: rounding once more may go astray
  const bool normal = exact == 0 || (exact > 1e-37 && exact < 1e38);
  if (half_way || !normal) return false;
  *value = static_cast<float>(number.negative ? -exact : exact);
  return true;
}

bool parse_name(std::string_view text, float *value) {
  std::string name(text);
  for (char &c : name)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const struct {
    const char *name;
    float value;
  } names[] = {{"INF", kInfinity},       {"+INF", kInfinity},       {"-INF", -kInfinity},
               {"INFINITY", kInfinity},  {"+INFINITY", kInfinity},  {"-INFINITY", -kInfinity},
               {"NAN", kNan},            {"+NAN", kNan},            {"-NAN", -kNan},
               {"1.#INF", kInfinity},    {"-1.#INF", -kInfinity},  // Windows
               {"1.#QNAN", kNan},        {"-1.#QNAN", -kNan}};
  for (const auto &known : names)
    if (name == known.name) {
      *value = known.value;
      return true;
    }
  return false;
}

}  // namespace

bool parse_float(std::string_view text, float *value) {
  text = trimmed(text);
  Decimal number;
  if (!scan(text, &number)) return parse_name(text, value);
  if (nearest(number, value)) return true;
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  float read;
  if (!(stream >> read)) return false;  // too large
  *value = read;
  return true;
}

bool parse_int32(std::string_view text, int32_t *value) {
  text = trimmed(text.substr(0, text.find('\0')));
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  if (text.empty()) return false;
  int64_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    number = number * 10 + (c - '0');
    if (number > int64_t{1} << 31) return false;
  }
  if (negative) number = -number;
  if (number > std::numeric_limits<int32_t>::max()) return false;
  *value = static_cast<int32_t>(number);
  return true;
}

}  // namespace kaldi_bridge
