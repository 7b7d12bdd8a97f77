"""Programs that compose, unite and determinize lattices, beside what Kaldi's wrote for the same (composing/make.py)."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.lattices.composition import Composer
from kaldi_bridge.lattices.lattice import Lattice
from tests.helpers.kaldis_outputs import Case, assert_alike, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "composing"
CASES = read_cases(DATA)
COUNTS_TWICE_IN_KALDI = "lattice-add-trans-probs"
CYCLE = "utt0 \n0\t1\t5\t1,2,62\n1\t0\t5\t1,2,62\n1\t0,0,\n\n"
EMPTY = "utt0 \n\n"
TWO_BACKOFFS = "utt0 \n0\t0\t5\t5\t1,0\n0\t1\t7\t7\t1,0\n0\t0\t7\t7\t2,0\n1\t1,0\n\n"
IN_A_RING = "utt0 \n0\t1\t7\t7\t1,0\n1\t0\t7\t7\t1,0\n0\t1,0\n1\t1,0\n\n"
ONE_WORD = "utt0 \n0\t1\t5\t1,2,3_4\n1\t0,0,\n\n"
BOOST = ["lattice-boost-ali", "words.mdl"]
WORD_3 = ONE_WORD.replace("\t5\t", "\t3\t")


@pytest.fixture()
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert_as_kaldi(case, folder)
    if case["program"] != COUNTS_TWICE_IN_KALDI:
        assert_alike(capfd.readouterr().err.strip().split("\n")[-1].partition(") ")[2], case["log"][-1])


def failed(arguments: list[str], capfd: pytest.CaptureFixture[str], status: int = 255) -> str:
    """What a program says that ends with this status, after which there is no output, or an empty one."""
    assert twin(arguments[0]).run(arguments[1:]) == status
    assert not Path("OUT/1").exists() or Path("OUT/1").read_text() == ""
    return capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--phi-label=0"], "--phi-label must be positive"),
        (["--phi-label=7", "--rho-label=8"], "at the same time"),
        (["--compose-with-fst=maybe"], "values are (auto|true|false)"),
        (["--compose-with-fst=false"], "only a table of lattices"),
        (["--phi-label=3"], "lattice of utt0: it has the label 3 that stands for any other"),
    ],
)
def test_wrong_options_of_compose(
    options: list[str], message: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert message in failed(["lattice-compose", *options, "ark:a.lats", "phi.fst", "ark,t:OUT/1"], capfd)


@pytest.mark.parametrize(
    ("second", "message"),
    [(TWO_BACKOFFS, "several arcs with the backoff label"), (IN_A_RING, "go round in a circle")],
)
def test_backoffs_that_lead_nowhere(second: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "one").write_text(ONE_WORD)
    (folder / "second").write_text(second)
    assert message in failed(["lattice-compose", "--phi-label=7", "ark:one", "ark:second", "ark,t:OUT/1"], capfd)


@pytest.mark.parametrize(
    ("program", "text", "status", "message"),
    [
        (["lattice-compose", "ark:in", "G.fst"], EMPTY, 1, "Empty lattice for utterance utt0"),
        (["lattice-compose", "ark:in", "missing.fst"], EMPTY, 255, "missing.fst"),
        (["lattice-compose", "ark:in", "words.mdl"], ONE_WORD, 255, "words.mdl"),
        (["lattice-interp", "ark:in", "ark:a.lats"], EMPTY, 1, "composed result is empty"),
        (["lattice-interp", "ark:in", "ark:cut.lats"], EMPTY, 1, "No lattice found for utterance utt0"),
        (["lattice-determinize", "ark:in"], EMPTY, 1, "Detected empty lattice"),
        (["lattice-determinize", "ark:in"], CYCLE, 255, "utterance utt0: the lattice has a cycle"),
        (["lattice-determinize", "--acoustic-scale=0", "ark:in"], ONE_WORD, 255, "zero acoustic scale"),
        (["lattice-union", "ark:in", "ark:a.lats"], CYCLE, 255, "lattice of utt0: the lattice has a cycle"),
        (
            ["lattice-add-trans-probs", "words.mdl", "ark:in"],
            CYCLE.replace("62", "999"),
            255,
            "999 is no transition-id",
        ),
        (["lattice-oracle", "ark:in", "ark:ref"], EMPTY, 0, "Best-path failed for key utt0"),
        (["lattice-oracle", "--wildcard-symbols=x", "ark:in", "ark:ref"], EMPTY, 255, "list of integers"),
        (["lattice-oracle", "--wildcard-symbols-list=wild", "ark:in", "ark:ref"], EMPTY, 255, "--word-symbol-table"),
        (["lattice-copy-backoff", "ark:in", "ark:a.lats"], "utt0 \n0\t1\t5\t1,2", 255, "bad line"),
        (["lattice-to-fst", "ark:in"], "", 1, "Done converting 0 lattices"),
        (["lattice-reverse", "ark:in"], "", 1, "Done reversing 0 lattices"),
        (["nbest-to-lattice", "ark:in"], ONE_WORD, 255, "Invalid n-best id utt0"),
        ([*BOOST, "ark:in", "ark:a.ali"], EMPTY, 1, "Empty lattice for utterance utt0"),
        ([*BOOST, "ark:in", "ark:a.ali"], CYCLE, 255, "utterance utt0: the lattice"),
        ([*BOOST, "ark:in", "ark:a.ali"], ONE_WORD, 1, "the lattice has 2 frames, and the alignment 14"),
        (
            [*BOOST, "ark:in", "ark:a.ali"],
            ONE_WORD.replace("3_4", "_".join(["99"] * 14)),
            255,
            "99 is no transition-id",
        ),
        (
            ["lattice-boost-ali", "--max-silence=2", "words.mdl", "ark:in", "ark:a.ali"],
            ONE_WORD,
            255,
            "--max-silence=2 is not between",
        ),
        (
            ["lattice-boost-ali", "--silence-phones=x", "words.mdl", "ark:in", "ark:a.ali"],
            ONE_WORD,
            255,
            "silence phones=x",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input(
    program: list[str], text: str, status: int, message: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "in").write_text(text)
    assert message in failed([*program, "ark,t:OUT/1"], capfd, status)


def test_neither_lattice_sorted_is_an_error() -> None:
    lattice = Lattice.from_lists(0, [[(1, 5, 0, 0, 1), (1, 4, 0, 0, 1)], []], [None, (0, 0)])
    unsorted = Lattice.from_lists(0, [[(5, 1, 0, 0, 1), (4, 1, 0, 0, 1)], []], [None, (0, 0)])
    with pytest.raises(KaldiError, match="sorted"):
        Composer(unsorted).compose(lattice)


def test_epsilons_of_both_lattices_are_gone_through_in_one_order_only() -> None:
    """Each pair of paths once: without a filter there would be several ways through the two steps without a label."""
    first = Lattice.from_lists(0, [[(1, 0, 1, 0, 1)], [(2, 5, 2, 0, 2)], []], [None, None, (0, 0)])
    second = Lattice.from_lists(0, [[(0, 8, 4, 0, 1)], [(5, 9, 8, 0, 2)], []], [None, None, (0, 0)])
    composed = Composer(second).compose(first)
    assert composed.num_arcs == 3
    np.testing.assert_array_equal(np.sort(composed.arcs["graph"]), [1, 4, 10])


@pytest.mark.parametrize(
    ("program", "text", "status", "message"),
    [
        (["lattice-lmrescore", "ark:in", "G.fst"], EMPTY, 1, "Empty lattice for utterance utt0"),
        (["lattice-lmrescore", "ark:in", "G.fst"], CYCLE, 255, "lattice of utt0: the lattice has a cycle"),
        (["lattice-lmrescore", "ark:in", "G.carpa"], ONE_WORD, 255, "G.carpa"),
        (["lattice-lmrescore-const-arpa", "ark:in", "G.carpa"], EMPTY, 1, "Empty lattice for utterance utt0"),
        (["lattice-lmrescore-const-arpa", "ark:in", "G.carpa"], CYCLE, 255, "lattice of utt0: the lattice has a cycle"),
        (["lattice-lmrescore-const-arpa", "ark:in", "G.fst"], ONE_WORD, 255, "G.fst: not a binary file"),
        (["lattice-lmrescore-const-arpa", "ark:in", "missing"], ONE_WORD, 255, "missing"),
        (["lattice-lmrescore-const-arpa", "ark:in", "G.carpa"], "utt0 \n0\t1\t5\t1,2", 255, "bad line"),
        (["lattice-lmrescore-pruned", "bi.fst", "G.fst", "ark:in"], EMPTY, 1, "utt0: the lattice is empty"),
        (
            ["lattice-lmrescore-pruned", "bi.fst", "G.fst", "ark:in"],
            CYCLE,
            255,
            "lattice of utt0: the lattice has a cycle",
        ),
        (
            ["lattice-lmrescore-pruned", "small.fst", "G.fst", "ark:in"],
            WORD_3,
            1,
            "utt0: composed lattice has no states",
        ),
        (["lattice-lmrescore-pruned", "--growth-ratio=1", "G.fst", "G.fst", "ark:in"], EMPTY, 255, "--growth-ratio"),
        (["lattice-lmrescore-pruned", "--acoustic-scale=0", "G.fst", "G.fst", "ark:in"], EMPTY, 255, "cannot be zero"),
        (["lattice-lmrescore-pruned", "ring.fst", "G.fst", "ark:in"], ONE_WORD, 255, "backs off in a circle"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_rescoring_of_bad_input(
    program: list[str], text: str, status: int, message: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "in").write_text(text)
    write_fst("ring.fst", Fst.from_arcs(0, {}, [(0, 0, 0, 1.0, 1), (1, 0, 0, 1.0, 0)]))
    assert message in failed([*program, "ark,t:OUT/1"], capfd, status)
