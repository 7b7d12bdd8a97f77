"""Phone language model, denominator graph and supervisions against Kaldi's (reference/fsdd)."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import Command, run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.examples.supervision import SUPERVISION, Supervision
from kaldi_bridge.fsts.acceptors import Acceptor, without_epsilons
from kaldi_bridge.fsts.fst import FST, Fst, read_fst, write_fst
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_PAIR_VECTOR, INT32_VECTOR
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.numerator import numerator
from nnet3_compat.chain.phone_language_model import PhoneLanguageModel
from nnet3_compat.commands.chainbin.chain_est_phone_lm import main as est_phone_lm
from nnet3_compat.commands.chainbin.chain_get_supervision import main as get_supervision
from nnet3_compat.commands.chainbin.chain_make_den_fst import main as make_den_fst
from nnet3_compat.commands.chainbin.chain_make_num_fst_e2e import main as make_num_fst_e2e
from nnet3_compat.commands.chainbin.nnet3_chain_normalize_egs import main as normalize_egs


def status(main: Command, *arguments: object) -> int:
    return run(main, [str(argument) for argument in arguments])


def phones_with_lengths(model: TransitionModel, alignment: np.ndarray) -> list[tuple[int, int]]:
    """What ali-to-phones --write-lengths=true makes of an alignment whose self-loops come last."""
    phones: list[tuple[int, int]] = []
    begin, ended = 0, False
    for i, tid in enumerate(alignment.tolist()):
        final = model.is_final[tid]
        last = i + 1 == len(alignment)
        follows = not last and model.is_self_loop[alignment[i + 1]]
        in_loop = model.is_self_loop[tid] and ended
        ended = final or in_loop
        if ended and not (follows and model.id_to_state[alignment[i + 1]] == model.id_to_state[tid]):
            phones.append((int(model.id_to_phone[tid]), i + 1 - begin))
            begin, ended = i + 1, False
    return phones


def alignments(folder: Path) -> list[tuple[str, list[tuple[int, int]]]]:
    model = read_transition_model(str(folder / "final.mdl"))
    made = []
    for part in ("ali.1.gz", "ali.2.gz"):
        with SequentialReader(f"ark:gunzip -c {folder / part} |", INT32_VECTOR) as table:
            made += [(key, phones_with_lengths(model, np.asarray(ali))) for key, ali in table]
    return made


@pytest.fixture(scope="module")
def tree(reference: Path) -> list[tuple[str, list[tuple[int, int]]]]:
    return alignments(reference / "fsdd" / "chain_tree")


def test_phone_language_model_is_kaldis(reference: Path, tmp_path: Path, tree) -> None:
    with TableWriter(f"ark:{tmp_path / 'phones'}", INT32_VECTOR) as writer:
        for key, phones in tree:
            writer.write(key, np.array([phone for phone, _ in phones], np.int32))
    out = tmp_path / "phone_lm.fst"
    assert status(est_phone_lm, "--num-extra-lm-states=2000", f"ark:{tmp_path / 'phones'}", out) == 0
    made, expected = read_fst(str(out)), read_fst(str(reference / "fsdd/tdnnf/phone_lm.fst"))
    same_fst(made, expected, 1e-6)


def same_fst(a: Fst, b: Fst, tolerance: float) -> None:
    assert (a.start, a.num_states, a.num_arcs) == (b.start, b.num_states, b.num_arcs)
    for column in ("ilabel", "olabel", "nextstate"):
        np.testing.assert_array_equal(a.arcs[column], b.arcs[column])
    np.testing.assert_allclose(a.arcs["weight"], b.arcs["weight"], atol=tolerance)
    np.testing.assert_allclose(a.finals, b.finals, atol=tolerance)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_pruned_language_model_keeps_the_counts(order: int) -> None:
    """However many states are dropped, the model is of probabilities, and every sentence has one."""
    rng = np.random.default_rng(order)
    sentences = [[int(p) for p in rng.integers(1, 5, rng.integers(1, 9))] for _ in range(60)]
    sizes = []
    for extra in (0, 5, 1000):
        model = PhoneLanguageModel(order, min(order, 2), extra)
        for sentence in sentences:
            model.add(sentence)
        graph = Acceptor.from_fst(model.estimate())
        sizes.append(graph.num_states)
        for arcs, final in zip(graph.arcs, graph.finals, strict=True):
            assert math.exp(-final) + sum(math.exp(-c) for _, c, _ in arcs) == pytest.approx(1.0, abs=1e-5)
        for sentence in sentences:
            state = graph.start
            for phone in sentence:
                (state,) = [t for label, _, t in graph.arcs[state] if label == phone]
            assert graph.finals[state] < math.inf
    assert sizes == sorted(sizes)
    with pytest.raises(KaldiError, match="positive"):
        PhoneLanguageModel().add([0])
    with pytest.raises(KaldiError, match="no phone sequences"):
        PhoneLanguageModel().estimate()


def test_denominator_graph_is_kaldis(reference: Path, tmp_path: Path) -> None:
    folder = reference / "fsdd/tdnnf"
    den, normalization = tmp_path / "den.fst", tmp_path / "normalization.fst"
    parts = (folder / "tree", folder / "0.trans_mdl", folder / "phone_lm.fst", den, normalization)
    assert status(make_den_fst, *parts) == 0
    torch.manual_seed(0)
    output = 2.0 * torch.randn(40, 3, 72)
    for name in ("den.fst", "normalization.fst"):
        made, expected = read_fst(str(tmp_path / name)), read_fst(str(folder / name))
        assert (made.num_states, made.num_arcs) == (expected.num_states, expected.num_arcs)
        np.testing.assert_allclose(np.sort(made.arcs["weight"]), np.sort(expected.arcs["weight"]), atol=1e-4)
        for leaky in (0.1, 1e-5):
            ours, theirs = (denominator(DenominatorGraph.from_fst(f, 72), output, leaky)[0] for f in (made, expected))
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)


def test_supervision_keeps_every_way_of_saying_the_phones(reference: Path, tmp_path: Path) -> None:
    """The chain alignments as supervision: one path for each way of placing the phones within the tolerances."""
    folder = reference / "fsdd"
    sequences = alignments(folder / "tri1")[:20]
    with TableWriter(f"ark:{tmp_path / 'phones'}", INT32_PAIR_VECTOR) as writer:
        for key, phones in sequences:
            writer.write(key, phones)
    model = folder / "tdnnf/0.trans_mdl"
    for options, frames in ((["--left-tolerance=0", "--right-tolerance=0"], 1), (["--frame-subsampling-factor=3"], 3)):
        rspecifier, out = f"ark:{tmp_path / 'phones'}", f"ark:{tmp_path / 'sup'}"
        assert status(get_supervision, *options, folder / "tdnnf/tree", model, rspecifier, out) == 0
        with SequentialReader(out, SUPERVISION) as table:
            made = dict(table)
        for key, phones in sequences:
            supervision = made[key]
            total = sum(length for _, length in phones)
            assert supervision.frames_per_sequence == -(-total // frames) and supervision.label_dim == 72
            paths = numerator([supervision], torch.zeros(supervision.frames_per_sequence, 1, 72))[0].exp()
            assert float(paths) == pytest.approx(1.0) if frames == 1 else float(paths) > len(phones)


def test_supervision_of_a_lattice(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """Two ways of saying the same frames, and a lattice that is not aligned with phones."""
    folder = reference / "fsdd/tdnnf"
    text = "good \n0 1 5 1,2,7_7_7\n1 2 6 1,2,7_7_7\n0 2 7 1,2,7_7_7_7_7_7\n2\n\nbad \n0 1 0 1,2,7\n1\n\n"
    (tmp_path / "lat").write_text(text)
    out = f"ark:{tmp_path / 'sup'}"
    assert (
        status(
            get_supervision,
            "--lattice-input=true",
            folder / "tree",
            folder / "0.trans_mdl",
            f"ark:{tmp_path / 'lat'}",
            out,
        )
        == 1
    )
    logged = capfd.readouterr().err
    assert "utterance bad" in logged and "lattice-align-phones" in logged and "for 1 utterances, errors on 1" in logged
    with SequentialReader(out, SUPERVISION) as table:
        ((key, supervision),) = list(table)
    assert key == "good" and supervision.frames_per_sequence == 6
    fst = supervision.fst
    assert fst is not None and len(set(fst.arcs_of(fst.start)["ilabel"].tolist())) >= 2


def test_examples_can_be_normalized_later(reference: Path, tmp_path: Path) -> None:
    """Normalizing what is normalized already adds the same costs again, and nothing else."""
    folder = reference / "fsdd/tdnnf"
    source, out = f"ark:{folder / 'egs/valid_diagnostic.cegs'}", f"ark:{tmp_path / 'out'}"
    assert status(normalize_egs, "--normalization-fst-scale=0.5", folder / "normalization.fst", source, out) == 0
    normalization = read_fst(str(folder / "normalization.fst"))
    with SequentialReader(source, CHAIN_EXAMPLE) as before, SequentialReader(out, CHAIN_EXAMPLE) as after:
        pairs = [
            (x.outputs[0].supervision, y.outputs[0].supervision) for (_, x), (_, y) in zip(before, after, strict=True)
        ]
    assert len(pairs) == 85
    for old, new in pairs[:10]:
        for labels in some_paths(old, 5):
            expected = path_cost(old.fst, labels) + 0.5 * path_cost(normalization, labels)
            assert path_cost(new.fst, labels) == pytest.approx(expected, abs=1e-3)
    assert status(normalize_egs, "--normalization-fst-scale=-1", folder / "normalization.fst", source, out) == 255


def some_paths(supervision: Supervision, count: int) -> list[list[int]]:
    rng = np.random.default_rng(0)
    fst = supervision.fst
    assert fst is not None
    paths = []
    for _ in range(count):
        state, labels = int(fst.start), []
        while len(arcs := fst.arcs_of(state)):
            arc = arcs[rng.integers(len(arcs))]
            labels.append(int(arc["ilabel"]))
            state = int(arc["nextstate"])
        paths.append(labels)
    return paths


def path_cost(fst: Fst | None, labels: list[int]) -> float:
    """Of the best path with these labels."""
    assert fst is not None
    best = {int(fst.start): 0.0}
    for label in labels:
        following: dict[int, float] = {}
        for state, cost in best.items():
            for arc in fst.arcs_of(state):
                if arc["ilabel"] == label:
                    target, total = int(arc["nextstate"]), cost + float(arc["weight"])
                    following[target] = min(total, following.get(target, math.inf))
        best = following
    return min((cost + float(fst.finals[state]) for state, cost in best.items()), default=math.inf)


def test_determinizing_and_minimizing_keep_the_costs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        arcs: list = [[] for _ in range(8)]
        for s in range(7):
            for _ in range(4):
                arcs[s].append((int(rng.integers(0, 4)), float(rng.integers(0, 6)) / 4, int(rng.integers(s + 1, 8))))
        graph = without_epsilons(Acceptor(0, arcs, [math.inf] * 7 + [0.5]))
        small = Acceptor.unpacked(graph.packed().determinized(1000).minimized())
        assert all(len({label for label, _, _ in out}) == len(out) for out in small.arcs)
        before, after = graph.to_fst(), small.to_fst()
        for labels in some_paths(Supervision(1.0, 1, 1, 9, before), 10):
            assert path_cost(after, labels) == pytest.approx(path_cost(before, labels), abs=1e-4)
    with pytest.raises(KaldiError, match="cycle"):
        Acceptor(0, [[(1, 0.0, 1)], [(1, 0.0, 0)]], [math.inf, 0.0]).packed().minimized()


def test_flat_start_numerators(reference: Path, tmp_path: Path) -> None:
    """A training graph of one digit: its labels become pdfs, its costs those of the normalization FST."""
    folder = reference / "fsdd/tdnnf"
    model = read_transition_model(str(folder / "0.trans_mdl"))
    normalization = read_fst(str(folder / "normalization.fst"))
    start = int(normalization.start)
    first = normalization.arcs_of(start)[0]
    second = normalization.arcs_of(int(first["nextstate"]))[0]
    tids = [int(np.flatnonzero(model.id_to_pdf == arc["ilabel"] - 1)[0]) for arc in (first, second)]
    arcs = [(0, 0, 0, 0.0, 1), (1, tids[0], 3, 0.25, 2), (2, tids[1], 0, 0.0, 3)]
    with TableWriter(f"ark:{tmp_path / 'graphs'}", FST) as writer:
        writer.write("utt", Fst.from_arcs(0, {3: 0.0}, arcs))
    out = f"ark:{tmp_path / 'fsts'}"
    parts = (folder / "0.trans_mdl", folder / "normalization.fst", f"ark:{tmp_path / 'graphs'}", out)
    assert status(make_num_fst_e2e, *parts) == 0
    with SequentialReader(out, FST) as table:
        ((_, made),) = list(table)
    labels = [int(first["ilabel"]), int(second["ilabel"])]
    assert path_cost(made, labels) == pytest.approx(0.25 + path_cost(normalization, labels), abs=1e-5)


def test_bad_files(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    folder = reference / "fsdd/tdnnf"
    write_fst(str(tmp_path / "other.fst"), Fst.from_arcs(0, {1: 0.0}, [(0, 999, 999, 0.0, 1)]))
    parts = [folder / "tree", folder / "0.trans_mdl", tmp_path / "other.fst", tmp_path / "den", tmp_path / "norm"]
    assert status(make_den_fst, *parts) == 255
    assert "999" in capfd.readouterr().err and not (tmp_path / "den").exists()
    with gzip.open(tmp_path / "x.gz", "wb") as stream:
        stream.write(b"nothing")
    assert status(make_den_fst, tmp_path / "x.gz", *parts[1:]) == 255
    assert "x.gz" in capfd.readouterr().err
