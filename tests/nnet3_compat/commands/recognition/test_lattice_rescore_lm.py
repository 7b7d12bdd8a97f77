"""Lattices with the costs of a small scripted LSTM: each path's is what the LSTM says of its words."""

import functools
import warnings
from collections import defaultdict
from pathlib import Path
from typing import List, Tuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.determinization import determinize_fully
from kaldi_bridge.lattices.lattice import CompactLattice, to_lattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import n_best_paths
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.commands.recognition.lattice_rescore_lm import main
from tests.helpers.places import ROOT

# TorchScript wants typing.List in annotations.
# ruff: noqa: UP006, UP035

LATTICES = ROOT / "tests/kaldi_bridge/commands/latbin/composing/a.lats"
BEGIN, END, WORDS, UNKNOWN = 8, 9, 10, 7
SYMBOLS = [f"--bos-symbol={BEGIN}", f"--eos-symbol={END}"]


class Lstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.embedding = nn.Embedding(WORDS, 6)
        self.lstm = nn.LSTMCell(6, 5)
        self.output = nn.Linear(5, WORDS)

    @torch.jit.export
    def initial_state(self) -> List[Tensor]:
        return [torch.zeros(1, 5), torch.zeros(1, 5)]

    def forward(self, words: Tensor, state: List[Tensor]) -> Tuple[Tensor, List[Tensor]]:
        h, c = self.lstm(self.embedding(words), (state[0], state[1]))
        return self.output(3.0 * h).log_softmax(1), [h, c]


class OfHistories(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Lstm()

    def forward(self, histories: Tensor, lengths: Tensor) -> Tensor:
        state = [x.expand(len(histories), -1) for x in self.inner.initial_state()]
        made = torch.zeros(len(histories), 10)
        for t in range(histories.size(1)):
            log_probs, state = self.inner(histories[:, t], state)
            made = torch.where((lengths == t + 1).unsqueeze(1), log_probs, made)
        return made


class Broken(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, histories: Tensor, lengths: Tensor) -> Tensor:
        if self.how == "shape":
            return torch.zeros(10)
        if self.how == "raises":
            return torch.zeros(2, 3) @ torch.zeros(2, 3)
        if self.how == "nan":
            return torch.full([len(histories), 10], float("nan"))
        return torch.zeros(len(histories), 9 + histories.size(1))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its ``in`` has lattices where each sequence of words is on one path, as decoders write them."""
    monkeypatch.chdir(tmp_path)
    with TableWriter("ark:in", COMPACT_LATTICE) as writer:
        for key, lattice in read(LATTICES).items():
            writer.write(key, determinize_fully(to_lattice(lattice)))
    return tmp_path


def save(module: nn.Module, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module), name)


def read(name: str | Path) -> dict[str, CompactLattice]:
    with SequentialReader(f"ark:{name}", COMPACT_LATTICE) as reader:
        return dict(reader)


Costs = dict[tuple[int, ...], float]


def costs_of(lattice: CompactLattice, lm_scale: float = 0.0, n: int = 100000) -> Costs:
    """Of each sequence of words the best path's cost, with the LSTM's of these words times a scale."""
    found: Costs = defaultdict(lambda: np.inf)
    for path in n_best_paths(lattice, n):
        words = tuple(path.arcs["label"][path.arcs["label"] != 0].tolist())
        found[words] = min(found[words], path.arc_costs.sum() + path.final_costs[-1])
    return {words: cost + lm_scale * lm_cost(words) if lm_scale else cost for words, cost in found.items()}


def lm_cost(words: tuple[int, ...]) -> float:
    costs = (float(-after(words[:n])[0][0, word]) for n, word in enumerate([*words, END]))
    return sum(costs)


@functools.cache
def after(words: tuple[int, ...]) -> tuple[Tensor, list[Tensor]]:
    """Log-probabilities and state."""
    model = Lstm().eval()
    state = after(words[:-1])[1] if words else model.initial_state()
    with torch.no_grad():
        log_probs, state = model(torch.tensor([words[-1] if words else BEGIN]), state)
    return log_probs, state


def assert_same(found: Costs, expected: Costs) -> None:
    assert set(found) == set(expected)
    for words, cost in found.items():
        assert cost == pytest.approx(expected[words], abs=1e-3)


@pytest.mark.parametrize("module", [Lstm, OfHistories])
def test_all_paths(module: type[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnet3_compat.rnnlm.scripted.MOST_AT_ONCE", 7)
    save(module(), "lm.pt")
    assert main.run([*SYMBOLS, "--lm-scale=0.7", "--max-ngram-order=0", "lm.pt", "ark:in", "ark:out"]) == 0
    before, rescored = read("in"), read("out")
    assert set(rescored) == set(before)
    for key, lattice in before.items():
        assert_same(costs_of(rescored[key]), costs_of(lattice, 0.7))


def test_the_best_paths_before() -> None:
    save(Lstm(), "lm.pt")
    assert main.run([*SYMBOLS, "--n=4", "--acoustic-scale=0.5", "lm.pt", "ark:in", "ark:out"]) == 0
    rescored = read("out")
    for key, lattice in read("in").items():
        assert_same(costs_of(scale(rescored[key], 0.5)), costs_of(scale(lattice, 0.5), 0.5, n=4))


def test_another_model_taken_away() -> None:
    """All words of it cost the same, so that the paths that are then the best ones can be told."""
    save(Lstm(), "lm.pt")
    words = [(0, word, word, 1.5, 0) for word in range(1, 7)]
    write_fst("G.fst", Fst.from_arcs(0, {0: 0.25}, words))
    options = ["--old-lm=G.fst", "--lm-scale=1", "--max-ngram-order=-1", "--lattice-compose-beam=3"]
    assert main.run([*SYMBOLS, *options, "lm.pt", "ark:in", "ark:out"]) == 0
    rescored = read("out")
    for key, lattice in read("in").items():
        expected = {w: cost - 1.5 * len(w) - 0.25 for w, cost in costs_of(lattice, 1.0).items()}
        found = costs_of(rescored[key])
        best = min(expected, key=expected.__getitem__)
        assert best in found
        for path, cost in found.items():
            assert cost == pytest.approx(expected[path], abs=1e-3)
        assert main.run([*SYMBOLS, *options, "--n=1000", "lm.pt", "ark:in", "ark:all"]) == 0
        assert_same(costs_of(read("all")[key]), expected)


def test_unknown_words(capfd: pytest.CaptureFixture[str]) -> None:
    save(Lstm(), "lm.pt")
    Path("unknown").write_text("u \n0\t1\t12\t1,2,3\n1\t0,0,\n\n")
    assert main.run([*SYMBOLS, "lm.pt", "ark:unknown", "ark:out"]) == 255
    assert "lattice of u: word 12 is none of the language model's, which are 1 to 9" in capfd.readouterr().err
    assert main.run([*SYMBOLS, f"--unk-symbol={UNKNOWN}", "--lm-scale=1", "lm.pt", "ark:unknown", "ark:out"]) == 0
    assert costs_of(read("out")["u"])[(12,)] == pytest.approx(3.0 + lm_cost((UNKNOWN,)), abs=1e-4)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("shape", "the language model gives [10] for 1 words, instead of [1, V]"),
        ("raises", "the language model cannot be computed for 1 histories"),
        ("nan", "log-probabilities that are no numbers"),
        ("grows", "the language model has 11 words now and had 10 before"),
    ],
)
def test_modules_that_give_something_else(how: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    save(Broken(how), "lm.pt")
    assert main.run([*SYMBOLS, "lm.pt", "ark:in", "ark:out"]) == 255
    assert message in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "You must set --bos-symbol and --eos-symbol options"),
        (["--bos-symbol=8", "--eos-symbol=10"], "--eos-symbol=10: the words of the model are 1 to 9"),
        ([*SYMBOLS, "--lm-scale=0"], "--lm-scale must not be 0"),
        ([*SYMBOLS, "--use-gpu=maybe"], "Please choose : --use-gpu="),
    ],
)
def test_wrong_options(options: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    save(Lstm(), "lm.pt")
    assert main.run([*options, "lm.pt", "ark:in", "ark:out"]) == 255
    assert message in capfd.readouterr().err


def test_no_module(capfd: pytest.CaptureFixture[str]) -> None:
    Path("lm.pt").write_bytes(b"PK\3\4")
    assert main.run([*SYMBOLS, "lm.pt", "ark:in", "ark:out"]) == 255
    assert "lm.pt: broken zip archive" in capfd.readouterr().err
