"""Determinized lattices beside those of Kaldi's programs, with their messages.

``determinized/raw.lats`` are lattices of our search: two utterances of 12 and 16 frames with random scores in steps of
0.1, so that many paths cost the same, in a loop of six words, some of which have several pronunciations; ``model.mdl``
is the transition model of the loop's five phones. For each case ``NAME.lats`` is what Kaldi's program wrote with these
options, and ``NAME.log`` its messages without the places in its source.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.latbin import (
    lattice_determinize_phone_pruned,
    lattice_determinize_phone_pruned_parallel,
    lattice_determinize_pruned,
    lattice_determinize_pruned_parallel,
)
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.determinization import DeterminizationOptions, determinize
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, to_lattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter

FOLDER = Path(__file__).parent / "determinized"
WORDS, PHONES = "lattice-determinize-pruned", "lattice-determinize-phone-pruned"
CASES = {
    "words": (WORDS, "--beam=0.8"),
    "words-mem-100": (WORDS, "--beam=1 --max-mem=100"),
    "words-mem-20000": (WORDS, "--beam=1 --max-mem=20000 --verbose=2"),
    "words-mem-500000": (WORDS, "--beam=2 --max-mem=500000"),
    "words-scaled": (WORDS, "--beam=0.7 --acoustic-scale=0.3 --minimize=true"),
    "words-states": (WORDS, "--beam=2 --max-states=50 --verbose=1"),
    "words-arcs": (WORDS, "--beam=2 --max-arcs=90 --retry-cutoff=0.9"),
    "words-expanded": (WORDS, "--beam=0.3 --write-compact=false --acoustic-scale=0.5"),
    "phones": (PHONES, "--beam=0.8"),
    "phones-mem-20000": (PHONES, "--beam=1 --max-mem=20000"),
    "phones-only": (PHONES, "--beam=0.6 --word-determinize=false"),
    "phones-minimized": (PHONES, "--beam=0.8 --minimize=true"),
    "phones-neither": (PHONES, "--phone-determinize=false --word-determinize=false"),
}
PROGRAMS = {WORDS: lattice_determinize_pruned.main, PHONES: lattice_determinize_phone_pruned.main}
PARALLEL = {WORDS: lattice_determinize_pruned_parallel.main, PHONES: lattice_determinize_phone_pruned_parallel.main}
WORDED_OTHERWISE = (
    "Lattice determinization terminated|Lattice determinization ended|Processing lattice"  # worded otherwise
)


def arguments(name: str, output: str) -> tuple[str, list[str]]:
    program, options = CASES[name]
    model = [f"{FOLDER}/model.mdl"] if program == PHONES else []
    return program, [*options.split(), *model, f"ark:{FOLDER}/raw.lats", output]


def messages(text: str) -> list[str]:
    """What stands after the place in the source."""
    lines = [match[1] for line in text.splitlines() if (match := re.match(r"\w+ \(.*?\(\):[^ )]*\) (.*)", line))]
    return [line.replace(" (or output was empty)", "") for line in lines if not re.search(WORDED_OTHERWISE, line)]


@pytest.mark.parametrize("name", CASES)
def test_lattices_and_messages_are_kaldis(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """To the last state, arc, cost and transition-id, in Kaldi's order."""
    program, words = arguments(name, f"ark,t:{tmp_path}/out.lats")
    assert run(PROGRAMS[program], words) == 0
    assert (tmp_path / "out.lats").read_bytes() == (FOLDER / f"{name}.lats").read_bytes()
    assert messages(capfd.readouterr().err) == messages((FOLDER / f"{name}.log").read_text())


@pytest.mark.parametrize("num_threads", [0, 1, 3])
@pytest.mark.parametrize("name", ["words", "words-mem-100", "words-scaled", "phones", "phones-mem-20000"])
def test_parallel_forms_write_what_kaldis_write(
    name: str, num_threads: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """``parallel/NAME.lats``: of Kaldi's -parallel form, which does not sort states; those of words-scaled are sorted
    by minimizing, the same as those of the other form."""
    program, words = arguments(name, f"ark,t:{tmp_path}/out.lats")
    assert run(PARALLEL[program], [f"--num-threads={num_threads}", "--num-threads-total=30", *words]) == 0
    kept = FOLDER / "parallel" / f"{name}.lats"
    if name == "words-scaled":
        kept = FOLDER / f"{name}.lats"
    assert (tmp_path / "out.lats").read_bytes() == kept.read_bytes()
    early = 2 if name == "words-mem-100" else 0
    what = "had warnings" if program == WORDS else "determinization finished earlier than specified by the beam"
    said = messages(capfd.readouterr().err)
    assert said[-1] == f"Done 2 lattices, {what} on {early} of these."
    assert sum("did not succeed" in line for line in said) == early


def test_parallel_forms_on_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none").touch()
    words = [f"ark:{tmp_path}/none", f"ark:{tmp_path}/out"]
    assert run(PARALLEL[WORDS], words) == run(PARALLEL[PHONES], [f"{FOLDER}/model.mdl", *words]) == 1
    for option, message in (
        ("--acoustic-scale=0", "zero acoustic scale"),
        ("--num-threads=-2", "must not be negative"),
    ):
        assert run(PARALLEL[WORDS], [option, *words]) == 255
        assert message in capfd.readouterr().err
    assert run(PARALLEL[WORDS], ["--num-threads=2", f"ark:{FOLDER}/model.mdl", f"ark:{tmp_path}/other"]) == 255
    assert not (tmp_path / "other").exists()


def test_limits_make_smaller_lattices() -> None:
    """The cases are not all the same."""
    sizes = {name: len((FOLDER / f"{name}.lats").read_bytes()) for name in CASES}
    assert sizes["words-mem-100"] < sizes["words-mem-20000"] < sizes["words-mem-500000"]
    assert sizes["phones-mem-20000"] != sizes["phones"] != sizes["words"]


def test_binary_lattices_hold_the_same(tmp_path: Path) -> None:
    _, words = arguments("words", f"ark:{tmp_path}/binary.lats")
    assert run(PROGRAMS[WORDS], words) == 0
    with (
        SequentialReader(f"ark:{tmp_path}/binary.lats", COMPACT_LATTICE) as table,
        TableWriter(f"ark,t:{tmp_path}/text.lats", COMPACT_LATTICE) as writer,
    ):
        for key, lattice in table:
            writer.write(key, lattice)
    assert (tmp_path / "text.lats").read_bytes() == (FOLDER / "words.lats").read_bytes()


def paths(lattice: CompactLattice) -> dict[tuple[int, ...], tuple[float, tuple[int, ...]]]:
    """Words of each path, with its cost and transition-ids."""
    arcs, finals = lattice.to_lists()

    def from_state(state: int) -> dict[tuple[int, ...], tuple[float, tuple[int, ...]]]:
        final = finals[state]
        found = {} if final is None else {(): (final[0] + final[1], final[2])}
        for word, graph, acoustic, ids, target in arcs[state]:
            for words, (cost, rest) in from_state(target).items():
                found[(word, *words)] = (graph + acoustic + cost, ids + rest)
        return found

    return from_state(lattice.start)


def test_minimizing_keeps_all_paths() -> None:
    """Two branches that end alike are merged once their costs and transition-ids are pushed."""
    arcs = [
        [(1, 1.0, 0.0, (1,), 1), (2, 2.0, 0.0, (2,), 2)],
        [(3, 1.0, 0.5, (7, 8), 3)],
        [(3, 2.0, 0.5, (7, 8), 4)],
        [],
        [],
    ]
    lattice = CompactLattice.from_lists(0, arcs, [None, None, None, (0.0, 0.0, (9,)), (0.0, 0.0, (9,))])
    done = determinize(to_lattice(lattice), 10.0, DeterminizationOptions(minimize=True))
    assert done.complete
    small = done.lattice
    assert small.num_states == 3
    assert paths(small) == paths(lattice)


def test_what_cannot_be_determinized(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cycle = Lattice.from_lists(0, [[(1, 1, 0.0, 0.0, 1)], [(1, 0, 0.0, 0.0, 0)]], [None, (0.0, 0.0)])
    with pytest.raises(KaldiError, match="cycle"):
        determinize(cycle, 8.0, DeterminizationOptions())
    with pytest.raises(KaldiError, match="beam"):
        determinize(Lattice.from_lists(0, [[]], [(0.0, 0.0)]), 0.0, DeterminizationOptions())
    _, words = arguments("words", f"ark,t:{tmp_path}/out.lats")
    for option, message in (
        ("--max-loop=3", "--max-loop=3"),
        ("--retry-cutoff=1", "--retry-cutoff"),
        ("--acoustic-scale=0", "zero acoustic scale"),
    ):
        assert run(PROGRAMS[WORDS], [option, *words]) == 255
        assert message in capfd.readouterr().err


def test_damaged_lattices_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw = (FOLDER / "raw.lats").read_bytes()
    for length in (100, 400, len(raw) - 3):
        (tmp_path / "cut.lats").write_bytes(raw[:length])
        assert run(PROGRAMS[WORDS], ["--max-mem=100", f"ark:{tmp_path}/cut.lats", f"ark:{tmp_path}/out"]) == 255
        assert "utterance-" in capfd.readouterr().err
    for at in range(90, 400, 4):  # no number in the file makes more of it than an error
        (tmp_path / "bad.lats").write_bytes(raw[:at] + b"\xff\xff\xff\x7f" + raw[at + 4 :])
        run(PROGRAMS[WORDS], ["--max-mem=100", f"ark:{tmp_path}/bad.lats", f"ark:{tmp_path}/out"])
        assert "(a bug" not in capfd.readouterr().err
