#include "lattice_text.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace kaldi_bridge {

namespace {

void put(std::string *out, int64_t value) {
  char digits[24];
  out->append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

// As a stream of C++ prints it.
void put(std::string *out, float value, int precision) {
  if (std::isinf(value)) {
    *out += value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  char digits[32];
  out->append(digits, std::snprintf(digits, sizeof(digits), "%.*g", precision, static_cast<double>(value)));
}

void put_costs(std::string *out, float graph, float acoustic, int precision) {
  put(out, graph, precision);
  *out += ',';
  put(out, acoustic, precision);
}

void put_string(std::string *out, const FlatCompactLattice &lattice, int64_t string) {
  *out += ',';
  for (int64_t i = lattice.string_offsets[string]; i < lattice.string_offsets[string + 1]; i++) {
    if (i > lattice.string_offsets[string]) *out += '_';
    put(out, static_cast<int64_t>(lattice.strings[i]));
  }
}

bool has_string(const FlatCompactLattice &lattice, int64_t string) {
  return lattice.string_offsets[string + 1] > lattice.string_offsets[string];
}

void put_weight(std::string *out, const FlatLattice &, int64_t, float graph, float acoustic, int precision) {
  if (graph == 0.0f && acoustic == 0.0f) return;
  *out += '\t';
  put_costs(out, graph, acoustic, precision);
}

void put_weight(std::string *out, const FlatCompactLattice &lattice, int64_t string, float graph, float acoustic,
                int precision) {
  if (graph == 0.0f && acoustic == 0.0f && !has_string(lattice, string)) return;
  *out += '\t';
  put_costs(out, graph, acoustic, precision);
  put_string(out, lattice, string);
}

void put_labels(std::string *out, const FlatArc &arc) {
  put(out, static_cast<int64_t>(arc.ilabel));
  *out += '\t';
  put(out, static_cast<int64_t>(arc.olabel));
}

void put_labels(std::string *out, const FlatCompactArc &arc) { put(out, static_cast<int64_t>(arc.label)); }

template <class L>
std::string text(const L &lattice, int precision) {
  std::string out;
  auto put_state = [&](int64_t s) {
    for (int64_t i = lattice.offsets[s]; i < lattice.offsets[s + 1]; i++) {
      const auto &arc = lattice.arcs[i];
      put(&out, s);
      out += '\t';
      put(&out, static_cast<int64_t>(arc.nextstate));
      out += '\t';
      put_labels(&out, arc);
      put_weight(&out, lattice, i, arc.graph, arc.acoustic, precision);
      out += '\n';
    }
    const Weight &final = lattice.finals[s];
    const bool is_dead_end = lattice.offsets[s] == lattice.offsets[s + 1];  // OpenFst prints the cost of such, too
    if (std::isinf(final.graph) && std::isinf(final.acoustic) && !is_dead_end) return;
    put(&out, s);
    put_weight(&out, lattice, static_cast<int64_t>(lattice.arcs.size()) + s, final.graph, final.acoustic, precision);
    out += '\n';
  };
  if (lattice.start < 0) return out;
  put_state(lattice.start);
  for (int64_t s = 0; s < lattice.num_states(); s++)
    if (s != lattice.start) put_state(s);
  return out;
}

}  // namespace

std::string text_of(const FlatLattice &lattice, int precision) { return text(lattice, precision); }
std::string text_of(const FlatCompactLattice &lattice, int precision) { return text(lattice, precision); }

}  // namespace kaldi_bridge
