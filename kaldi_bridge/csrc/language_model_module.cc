// Language models and the rescoring of lattices for Python, without the interpreter's lock.

#include "language_model_module.h"

#include <pybind11/stl.h>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "backoff_model.h"
#include "const_arpa.h"
#include "history_model.h"
#include "language_model.h"
#include "lattice_arrays.h"
#include "mikolov_rnnlm.h"
#include "rescoring.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

// A model whose arrays live as long as this.
struct KeptBackoffModel : BackoffModel {
  KeptBackoffModel(int32_t start, InputArray<float> finals, InputArray<int64_t> offsets, InputArray<FstArc> arcs)
      : BackoffModel(start, static_cast<int32_t>(finals.size()), finals.data(), offsets.data(), arcs.data()),
        finals_(finals),
        offsets_(offsets),
        arcs_(arcs) {
    check_offsets(offsets, finals.size(), arcs.size());
    std::vector<int32_t> next(arcs.size());
    for (size_t i = 0; i < next.size(); i++) next[i] = arcs.data()[i].nextstate;
    check_states(start, finals.size(), next);
  }

 private:
  InputArray<float> finals_;
  InputArray<int64_t> offsets_;
  InputArray<FstArc> arcs_;
};

struct KeptConstArpa : ConstArpa {
  KeptConstArpa(InputArray<uint8_t> words, const InputArray<int64_t> &unigrams, const InputArray<int64_t> &overflow,
                int32_t order, int32_t begin, int32_t end, int32_t unknown)
      : ConstArpa(reinterpret_cast<const char *>(words.data()), words.size() / 4,
                  {unigrams.data(), unigrams.data() + unigrams.size()},
                  {overflow.data(), overflow.data() + overflow.size()}, order, begin, end, unknown),
        words_(words) {}

 private:
  InputArray<uint8_t> words_;
};

struct KeptMikolovNetwork {
  using Matrix = InputArray<double>;
  KeptMikolovNetwork(std::vector<int32_t> class_of, std::vector<int32_t> first_of_class, const Matrix &input,
                     const Matrix &recurrent, const Matrix &compressing, const Matrix &output, const Matrix &direct,
                     int32_t direct_order, std::vector<int32_t> numbers, std::vector<float> penalties)
      : arrays{input, recurrent, compressing, output, direct} {
    network.words = static_cast<int32_t>(class_of.size());
    network.classes = static_cast<int32_t>(first_of_class.size()) - 1;
    network.hidden = static_cast<int32_t>(recurrent.shape(0));
    network.compression = static_cast<int32_t>(compressing.shape(1));
    network.class_of = std::move(class_of);
    network.first_of_class = std::move(first_of_class);
    network.input = input.data();
    network.recurrent = recurrent.data();
    network.compressing = compressing.data();
    network.output = output.data();
    network.direct = direct.data();
    network.num_direct = direct.size();
    network.direct_order = direct_order;
    network.numbers = std::move(numbers);
    network.penalties = std::move(penalties);
  }

  MikolovNetwork network;
  std::vector<Matrix> arrays;  // that it reads
};

// Calls Python's f(parents, words), which gives float32 [histories, words + 1].
HistoryModel::Extend calling(py::function f) {
  return [f](const std::vector<int32_t> &parents, const std::vector<int32_t> &words, std::vector<float> *costs) {
    py::gil_scoped_acquire acquire;
    const auto made = py::cast<InputArray<float>>(f(py::array_t<int32_t>(parents.size(), parents.data()),
                                                    py::array_t<int32_t>(words.size(), words.data())));
    costs->insert(costs->end(), made.data(), made.data() + made.size());
  };
}

template <class F>
py::tuple rescored(const py::tuple &parts, F f) {
  const FlatCompactLattice lattice = flat_compact_lattice(parts);
  FlatCompactLattice made;
  {
    py::gil_scoped_release release;
    made = f(lattice);
  }
  return parts_of(std::move(made));
}

}  // namespace

void add_language_models(py::module_ &m) {
  py::class_<LanguageModel>(m, "LanguageModel", "See language_model.h.")
      .def_property_readonly("start", &LanguageModel::start)
      .def("final", &LanguageModel::final)
      .def("follow", [](LanguageModel &model, int32_t state, int32_t word) -> py::object {
        Step step;
        if (!model.follow(state, word, &step)) return py::none();
        return py::make_tuple(step.next, step.cost);
      });
  py::class_<KeptBackoffModel, LanguageModel>(m, "BackoffModel")
      .def(py::init<int32_t, InputArray<float>, InputArray<int64_t>, InputArray<FstArc>>());
  py::class_<KeptConstArpa>(m, "ConstArpa")
      .def(py::init<InputArray<uint8_t>, InputArray<int64_t>, InputArray<int64_t>, int32_t, int32_t, int32_t, int32_t>());
  py::class_<ConstArpaModel, LanguageModel>(m, "ConstArpaModel")
      .def(py::init([](const KeptConstArpa &arpa) { return ConstArpaModel(&arpa); }), py::keep_alive<1, 2>());
  py::class_<HistoryModel, LanguageModel>(m, "HistoryModel")
      .def(py::init([](std::vector<int32_t> words, std::vector<int32_t> start, int32_t order, py::function extend) {
        return std::make_unique<HistoryModel>(std::move(words), std::move(start), order, calling(std::move(extend)));
      }));
  py::class_<KeptMikolovNetwork>(m, "MikolovNetwork")
      .def(py::init<std::vector<int32_t>, std::vector<int32_t>, InputArray<double>, InputArray<double>, InputArray<double>,
                    InputArray<double>, InputArray<double>, int32_t, std::vector<int32_t>, std::vector<float>>());
  py::class_<MikolovModel, LanguageModel>(m, "MikolovModel")
      .def(py::init([](const KeptMikolovNetwork &kept, int32_t order) {
             return std::make_unique<MikolovModel>(&kept.network, order);
           }),
           py::keep_alive<1, 2>());
  py::class_<ScaledModel, LanguageModel>(m, "ScaledModel").def(py::init<LanguageModel *, float>(), py::keep_alive<1, 2>());
  py::class_<ModelSum, LanguageModel>(m, "ModelSum")
      .def(py::init<LanguageModel *, LanguageModel *>(), py::keep_alive<1, 2>(), py::keep_alive<1, 3>());

  py::class_<PrunedOptions>(m, "PrunedOptions")
      .def(py::init<>())
      .def_readwrite("beam", &PrunedOptions::beam)
      .def_readwrite("max_arcs", &PrunedOptions::max_arcs)
      .def_readwrite("growth_ratio", &PrunedOptions::growth_ratio);
  m.def("compose_with", [](const py::tuple &parts, LanguageModel *model) {
    return rescored(parts, [&](const FlatCompactLattice &lattice) { return compose_with(lattice, model); });
  });
  m.def("compose_pruned", [](const py::tuple &parts, LanguageModel *model, const PrunedOptions &options) {
    return rescored(parts, [&](const FlatCompactLattice &lattice) { return compose_pruned(lattice, model, options); });
  });
}

}  // namespace kaldi_bridge
