// Numbers in text as Kaldi reads them (util/text-utils.h), whatever the locale.

#pragma once

#include <cstdint>
#include <string_view>

namespace kaldi_bridge {

// The whole text must be a decimal number that a float can hold, or inf, infinity or nan in any letters; ASCII's white
// space around it is no matter. False: it is not, and `value` is what it was.
bool parse_float(std::string_view text, float *value);

// The whole text, up to a NUL, must be a decimal integer of 32 bits; white space as above.
bool parse_int32(std::string_view text, int32_t *value);

}  // namespace kaldi_bridge
