#include "examples.h"

#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "fst_header.h"

namespace kaldi_bridge {

namespace {

constexpr int32_t kMostParts = 1000000;
constexpr size_t kWhole = 16, kElement = 12;
constexpr std::string_view kPlain = "<Nnet3Eg> ", kChain = "<Nnet3ChainEg> ",
                           kDiscriminative = "<Nnet3DiscriminativeEg> ";
constexpr size_t kLatticeState = 16, kLatticeArc = 20;

int32_t parse_count(Cursor &in) {
  const int32_t count = in.basic<int32_t>();
  if (count <= 0 || count > kMostParts) throw OtherForm();
  return count;
}

IndexesView parse_indexes(Cursor &in) {
  in.expect("<I1V> ");
  const int32_t count = in.basic<int32_t>();
  if (count < 0) throw OtherForm();
  IndexesView view{in.take(0), in.pos(), count};
  for (int32_t i = 0; i < count; i++) {
    const int step = *reinterpret_cast<const signed char *>(in.take(1));
    if (step == kWholeIndex) {
      const char *whole = in.take(kWhole - 1);
      if (whole[0] != 4 || whole[5] != 4 || whole[10] != 4) throw OtherForm();
    } else if (std::abs(step) >= kNearStep) {
      throw OtherForm();
    }
  }
  view.size = in.pos() - view.size;
  return view;
}

IoView parse_io(Cursor &in) {
  in.expect("<NnetIo> ");
  IoView io{in.name(), parse_indexes(in), parse_matrix(in)};
  in.expect("</NnetIo> ");
  if (io.features.rows != io.indexes.count) throw OtherForm();
  return io;
}

// Of a file without flags, of an FST that has states.
FstHeader parse_header(Cursor &in, std::string_view type, std::string_view arc_type) {
  const FstHeader header = header_at(in);
  if (header.fst_type != type || header.arc_type != arc_type || header.num_states <= 0 || header.start < 0)
    throw OtherForm();
  return header;
}

CompactFstView parse_fst(Cursor &in, int32_t label_dim) {
  const FstHeader header = parse_header(in, "compact_acceptor", "standard");
  if (header.num_arcs < 0 || header.num_arcs >= INT32_MAX) throw OtherForm();
  CompactFstView fst{};
  fst.properties = header.properties;
  fst.start = static_cast<int32_t>(header.start);
  fst.states = static_cast<int32_t>(header.num_states);
  fst.arcs = static_cast<int32_t>(header.num_arcs);
  fst.positions = in.take(4 * (static_cast<uint64_t>(fst.states) + 1));
  const auto position = [&](int32_t s) { return load<uint32_t>(fst.positions + 4 * static_cast<size_t>(s)); };
  fst.elements = in.take(kElement * static_cast<uint64_t>(position(fst.states)));
  if (position(0) != 0) throw OtherForm();
  int64_t found = 0;
  for (int32_t s = 0; s < fst.states; s++) {
    const uint32_t begin = position(s), end = position(s + 1);
    if (end < begin || end > position(fst.states)) throw OtherForm();
    for (uint32_t i = begin; i < end; i++) {
      const char *element = fst.elements + kElement * i;
      const int32_t label = load<int32_t>(element), next = load<int32_t>(element + 8);
      const float cost = load<float>(element + 4);
      const bool good = label == -1 ? i == begin && next == -1 && std::isfinite(cost)
                                    : label >= 0 && label <= label_dim && next >= 0 && next < fst.states &&
                                          !std::isnan(cost);
      if (!good) throw OtherForm();
      found += label != -1;
    }
  }
  if (found != header.num_arcs) throw OtherForm();
  return fst;
}

LatticeView parse_lattice(Cursor &in) {
  const FstHeader header = parse_header(in, "vector", "lattice4");
  const char *states = in.take(0);
  LatticeView view{states - kPropertiesToEnd, static_cast<int32_t>(header.start), static_cast<int32_t>(header.num_states), 0,
                   states};
  for (int32_t s = 0; s < view.states; s++) {
    const char *state = in.take(kLatticeState);
    const int64_t count = load<int64_t>(state + 8);
    if (count < 0 || count >= INT32_MAX || std::isnan(load<float>(state)) || std::isnan(load<float>(state + 4)))
      throw OtherForm();
    const char *arc = in.take(kLatticeArc * static_cast<uint64_t>(count));
    for (int64_t i = 0; i < count; i++, arc += kLatticeArc) {
      const int32_t next = load<int32_t>(arc + 16);
      if (load<int32_t>(arc) < 0 || load<int32_t>(arc + 4) < 0 || next < 0 || next >= view.states) throw OtherForm();
    }
    view.arcs += count;
  }
  return view;
}

OutputView parse_discriminative_output(Cursor &in) {
  OutputView out{};
  in.expect("<NnetDiscriminativeSup> ");
  out.name = in.name();
  out.indexes = parse_indexes(in);
  in.expect("<DiscriminativeSupervision> <Weight> ");
  out.weight = in.basic<float>();
  in.expect("<NumSequences> ");
  out.sequences = in.basic<int32_t>();
  in.expect("<FramesPerSeq> ");
  out.frames = in.basic<int32_t>();
  if (out.sequences <= 0 || out.frames <= 0) throw OtherForm();
  if (static_cast<int64_t>(out.sequences) * out.frames != out.indexes.count) throw OtherForm();
  in.expect("<NumAli> ");
  out.num_aligned = in.basic<int32_t>();
  if (out.num_aligned != out.indexes.count) throw OtherForm();
  out.alignment = in.take(4 * static_cast<uint64_t>(out.num_aligned));
  in.expect("<DenLat> ");
  out.lattice = parse_lattice(in);
  in.expect("</DiscriminativeSupervision> <DW> ");
  if (*in.take(1) != 1) throw OtherForm();
  out.num_deriv_weights = in.raw<int32_t>();
  if (out.num_deriv_weights != 0 && out.num_deriv_weights != out.indexes.count) throw OtherForm();
  out.deriv_weights = in.take(static_cast<uint64_t>(out.num_deriv_weights));
  in.expect("</NnetDiscriminativeSup> ");
  return out;
}

OutputView parse_chain_output(Cursor &in) {
  OutputView out{};
  in.expect("<NnetChainSup> ");
  out.name = in.name();
  out.indexes = parse_indexes(in);
  parse_supervision(in, &out);
  if (static_cast<int64_t>(out.sequences) * out.frames != out.indexes.count) throw OtherForm();
  in.expect("<DW2> FV ");
  out.num_deriv_weights = in.basic<int32_t>();
  if (out.num_deriv_weights != 0 && out.num_deriv_weights != out.indexes.count) throw OtherForm();
  out.deriv_weights = in.take(4 * static_cast<uint64_t>(out.num_deriv_weights));
  in.expect("</NnetChainSup> ");
  return out;
}

// The distance of successive frames.
int32_t frame_distance(const std::vector<int32_t> &indexes) {
  for (size_t i = 3; i < indexes.size(); i += 3)
    if (indexes[i + 1] != indexes[1]) {
      if (indexes[i + 1] < indexes[1]) break;
      return indexes[i + 1] - indexes[1];
    }
  throw std::invalid_argument("the supervision has fewer than two frames: their distance is unknown");
}

}  // namespace

void parse_supervision(Cursor &in, OutputView *out) {
  in.expect("<Supervision> <Weight> ");
  out->weight = in.basic<float>();
  in.expect("<NumSequences> ");
  out->sequences = in.basic<int32_t>();
  in.expect("<FramesPerSeq> ");
  out->frames = in.basic<int32_t>();
  in.expect("<LabelDim> ");
  out->label_dim = in.basic<int32_t>();
  if (out->sequences <= 0 || out->frames <= 0 || out->label_dim <= 0) throw OtherForm();
  in.expect("<End2End> ");
  out->e2e = in.accept("T");
  if (out->e2e) {
    in.expect("<Fsts> ");
    for (int32_t n = 0; n < out->sequences; n++) out->fsts.push_back(parse_fst(in, out->label_dim));
    in.expect("</Fsts> ");
  } else {
    in.expect("F");
    out->fsts.push_back(parse_fst(in, out->label_dim));
  }
  if (in.accept("<AlignmentPdfs> ")) {
    out->num_aligned = in.basic<int32_t>();
    if (out->num_aligned < 0) throw OtherForm();
    out->alignment = in.take(4 * static_cast<uint64_t>(out->num_aligned));
  }
  in.expect("</Supervision> ");
}

ExampleView parse_example(const char *data, size_t size) {
  Cursor in(data, size);
  ExampleView example{};
  example.token = in.accept(kChain) ? kChain : in.accept(kDiscriminative) ? kDiscriminative : kPlain;
  if (example.token == kPlain) in.expect(kPlain);
  in.expect(example.token == kPlain ? "<NumIo> " : "<NumInputs> ");
  for (int32_t count = parse_count(in); count > 0; count--) example.inputs.push_back(parse_io(in));
  if (example.token != kPlain) {
    in.expect("<NumOutputs> ");
    const auto parse_output = example.token == kChain ? parse_chain_output : parse_discriminative_output;
    for (int32_t count = parse_count(in); count > 0; count--) example.outputs.push_back(parse_output(in));
  }
  in.expect("</");
  in.expect(example.token.substr(1));
  example.size = in.pos();
  return example;
}

FlatLattice lattice_of(const LatticeView &view) {
  FlatLattice lattice;
  lattice.start = view.start;
  lattice.offsets = {0};
  lattice.arcs.reserve(static_cast<size_t>(view.arcs));
  const char *in = view.body;
  for (int32_t s = 0; s < view.states; s++) {
    lattice.finals.push_back({load<float>(in), load<float>(in + 4)});
    const int64_t count = load<int64_t>(in + 8);
    in += kLatticeState;
    for (int64_t i = 0; i < count; i++, in += kLatticeArc) lattice.arcs.push_back(load<FlatArc>(in));
    lattice.offsets.push_back(static_cast<int64_t>(lattice.arcs.size()));
  }
  return lattice;
}

void unpack_indexes(const IndexesView &indexes, int32_t *out) {
  const char *in = indexes.data;
  uint32_t n = 0, t = 0, x = 0;  // unsigned: a sum beyond 32 bits wraps
  for (int32_t i = 0; i < indexes.count; i++, out += 3) {
    const int step = *reinterpret_cast<const signed char *>(in);
    if (step == kWholeIndex) {
      n = load<uint32_t>(in + 2);
      t = load<uint32_t>(in + 7);
      x = load<uint32_t>(in + 12);
      in += kWhole;
    } else {
      t += static_cast<uint32_t>(step);
      in++;
    }
    out[0] = static_cast<int32_t>(n);
    out[1] = static_cast<int32_t>(t);
    out[2] = static_cast<int32_t>(x);
  }
}

char *pack_indexes(const int32_t *indexes, size_t count, char *out) {
  int64_t n = 0, t = 0, x = 0;
  for (size_t i = 0; i < count; i++, indexes += 3) {
    const int64_t step = indexes[1] - t;
    if (indexes[0] == n && indexes[2] == x && std::abs(step) < kNearStep) {
      *out++ = static_cast<char>(step);
    } else {
      *out++ = static_cast<char>(kWholeIndex);
      for (int k = 0; k < 3; k++) {
        *out++ = 4;
        std::memcpy(out, indexes + k, 4);
        out += 4;
      }
    }
    n = indexes[0];
    t = indexes[1];
    x = indexes[2];
  }
  return out;
}

std::string shifted(std::string_view bytes, size_t begin, int32_t shift) {
  const ExampleView example = parse_example(bytes.data() + begin, bytes.size() - begin);
  std::string out;
  std::vector<int32_t> indexes;
  std::vector<char> packed;
  const char *done = bytes.data();
  const auto unpack = [&](const IndexesView &view) {
    indexes.resize(3 * static_cast<size_t>(view.count));
    unpack_indexes(view, indexes.data());
  };
  // Puts the unpacked indexes, shifted, where `view` was, after all that came before.
  const auto replace = [&](const IndexesView &view, int64_t by) {
    for (size_t i = 1; i < indexes.size(); i += 3) indexes[i] = static_cast<int32_t>(indexes[i] + by);
    packed.resize(kWhole * static_cast<size_t>(view.count));
    out.append(done, view.data);
    out.append(packed.data(), pack_indexes(indexes.data(), view.count, packed.data()));
    done = view.data + view.size;
  };
  for (const IoView &io : example.inputs)
    if (io.name != "ivector") {
      unpack(io.indexes);
      replace(io.indexes, shift);
    }
  for (const OutputView &output : example.outputs) {
    unpack(output.indexes);
    const int64_t distance = frame_distance(indexes);
    replace(output.indexes, distance * static_cast<int64_t>(std::floor(0.5 + static_cast<double>(shift) / distance)));
  }
  out.append(done, bytes.data() + bytes.size());
  return out;
}

}  // namespace kaldi_bridge
