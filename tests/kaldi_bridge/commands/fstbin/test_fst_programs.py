"""Programs on single FSTs beside OpenFst's and Kaldi's own: states, arcs and their order, costs to 1e-4, exit status.

What those wrote is in outputs.json; make_outputs.py, which made it, has the inputs.
"""

import base64
import itertools
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.fsts.command_line import ARC_TYPES
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.text import print_text
from kaldi_bridge.io.streams import open_input
from tests.helpers.twins import MODULES, twin
from tests.kaldi_bridge.commands.fstbin.make_outputs import INPUTS, LISTS, OUTPUTS, SYMBOLS, TEXT

MADE = json.loads(OUTPUTS.read_text())
DIFFERENT = 2  # of fstequivalent and fstisomorphic
ENDS_THE_PROCESS = ("fstdeterminize not_functional",)  # OpenFst does, which kaldifst holds


def fst_program(name: str, *words: object) -> int:
    return run(twin(name), [str(word) for word in words])


def text_of(path: Path) -> str:
    with open_input(str(path)) as stream:
        return print_text(Fst.read(stream, ARC_TYPES)).decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make_outputs.py has, by our programs, but for types that only OpenFst writes."""
    folder = tmp_path_factory.mktemp("fsts")
    for name, text in (LISTS | SYMBOLS).items():
        (folder / name).write_text(text)
    for name, text in (INPUTS | {"minimal.half": INPUTS["minimal"].replace("0.25", "0.5")}).items():
        (folder / "text").write_text(text)
        assert fst_program("fstcompile", folder / "text", folder / name) == 0
        assert fst_program("fstcompile", "--arc_type=log", folder / "text", folder / f"{name}.log") == 0
        for side, log in itertools.product(("ilabel", "olabel"), ("", ".log")):
            ordered = f"{folder}/{name}.{side[0]}sorted{log}"
            assert fst_program("fstarcsort", f"--sort_type={side}", f"{folder}/{name}{log}", ordered) == 0
    for name, data in MADE["files"].items():
        (folder / name).write_bytes(base64.b64decode(data))
    return folder


def near(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        return math.isclose(float(ours), float(theirs), abs_tol=1e-4)
    except ValueError:
        return False


def same_lines(ours: str, theirs: list[str]) -> bool:
    lines = [line.split() for line in ours.split("\n")]
    if len(lines) != len(theirs):
        return False
    for mine, other in zip(lines, map(str.split, theirs), strict=True):
        if len(mine) != len(other) or not all(map(near, mine, other)):
            return False
    return True


@pytest.mark.parametrize("command", MADE["outputs"])
def test_as_the_originals(
    command: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    program, *words = command.split()
    status, lines = MADE["outputs"][command]
    monkeypatch.chdir(folder)
    missing = [name for name in ("ilabels", "x") if name in words]
    if program not in TEXT and words[-1] != program and len([w for w in words if not w.startswith("-")]) > 0:
        words = [*words, str(tmp_path / "out")] if takes_output(program, words) else words
    if command in ENDS_THE_PROCESS:
        done = subprocess.run([sys.executable, "-m", MODULES[program], *words], stderr=subprocess.PIPE)
        assert (done.returncode, b"non-functional FST" in done.stderr) == (status, True)
        return
    ours = fst_program(program, *words)
    shown = capfd.readouterr()
    assert ours == status, shown.err
    if status:
        assert status == DIFFERENT or shown.err or shown.out
        assert not (tmp_path / "out").exists()
    text = shown.out if program in TEXT else "" if status else text_of(tmp_path / "out")
    assert same_lines(text, lines), text
    for name in missing:
        (folder / name).unlink(missing_ok=True)


def takes_output(program: str, words: list[str]) -> bool:
    """Whether another argument is the output: not where one of the inputs is missing."""
    inputs = [word for word in words if not word.startswith("-")]
    two = (
        "fstcompose",
        "fstunion",
        "fstconcat",
        "fsttablecompose",
        "fstrmsymbols",
        "fstcomposecontext",
        "add-self-loops",
    )
    least = {"fstaddselfloops": 3, "make-h-transducer": 3, "compile-graph": 4} | dict.fromkeys(two, 2)
    return len(inputs) >= least.get(program, 1)


def test_a_grammar_of_several_graphs_on_file(folder: Path, tmp_path: Path) -> None:
    """A GrammarFst object, byte for byte Kaldi's."""
    parts = folder / "prepared.top", 10, folder / "prepared.inner"
    assert fst_program("make-grammar-fst", "--nonterm-phones-offset=6", *parts, tmp_path / "whole") == 0
    assert (tmp_path / "whole").read_bytes() == (folder / "whole_grammar").read_bytes()


def test_ngram_models_as_openfst_writes_them(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """Byte for byte; what is no such model, or a type that is not written, is an error that leaves no file."""
    assert fst_program("fstconvert", "--fst_type=ngram", folder / "trigrams", tmp_path / "ngram") == 0
    assert (tmp_path / "ngram").read_bytes() == (folder / "trigrams.ngram").read_bytes()
    assert fst_program("fstconvert", "--fst_type=ngram", folder / "cyclic", tmp_path / "none") == 1
    assert "no n-gram model" in capfd.readouterr().err
    assert fst_program("fstconvert", "--fst_type=edit", folder / "cyclic", tmp_path / "none") == 1
    assert "no FST of type edit is written" in capfd.readouterr().err
    assert not (tmp_path / "none").exists()


# Of fstminimize with two outputs: what OpenFst's (1.7.9, Debian) prints of both. The deterministic acceptor has one.
TWO_OUTPUTS = {
    "circle": (
        "5 0 0 1 4\n0 1 1 0\n1 2 2 0\n2 0 3 1 1.5\n2 3 4 2\n3 4 5 0\n4\n",
        "0 1 1 7\n0 0 2 9\n0\n1 0 0 8\n",
    ),
    "fork": (
        "0 1 1 1\n0 2 2 2\n1 3 1 0\n1 4 2 3 1\n2 4 3 0\n3 5 1 3\n3 0.5\n4 5 2 0\n5 6 1 0\n6\n",
        "0 0 1 5\n0 1 2 6\n0 3 3 7\n0\n1 2 0 7\n2 0 0 8\n3 0 0 8\n",
    ),
    "deterministic": ("0 1 1 1 1.25\n0 1 2 2 1.75\n1 2 1 1\n2 2 2 2 1\n2\n", ""),
}


@pytest.mark.parametrize("name", TWO_OUTPUTS)
def test_minimized_into_two(name: str, folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert fst_program("fstminimize", folder / name, first, second) == 0
    for path, expected in zip((first, second), TWO_OUTPUTS[name], strict=True):
        assert same_lines(text_of(path), expected.split("\n"))
    for wrong in ("not_functional", "acyclic.log"):  # not deterministic; of another semiring
        assert fst_program("fstminimize", folder / wrong, tmp_path / "a", tmp_path / "b") == 1
        assert not (tmp_path / "a").exists()


def test_a_tree_of_random_paths(folder: Path, tmp_path: Path) -> None:
    """Costs say how often paths were drawn: shares of each state sum to one, and those of all paths to their number."""
    words = "--npath=5000", "--seed=7", "--weighted", folder / "trigrams"
    for flag, total in (("--remove_total_weight=false", 5000.0), ("--remove_total_weight", 1.0)):
        assert fst_program("fstrandgen", "--max_length=100", flag, *words, tmp_path / "tree") == 0
        with open_input(str(tmp_path / "tree")) as stream:
            tree = Fst.read(stream)
        of_all = np.ones(tree.num_states)
        for source, (_, _, cost, target) in zip(tree.sources.tolist(), tree.arcs.tolist(), strict=True):
            of_all[target] = of_all[source] * math.exp(-cost)
        ends = np.isfinite(tree.finals)
        assert (of_all[ends] * np.exp(-tree.finals[ends])).sum() == pytest.approx(total, rel=1e-3)
    first = {arc[0]: math.exp(-arc[2]) for arc in tree.arcs_of(0).tolist()}
    assert first == pytest.approx({0: 0.5, 1: 0.5}, abs=0.03)
    assert fst_program("fstrandgen", "--select=log_prob", *words, tmp_path / "tree") == 0
    with open_input(str(tmp_path / "tree")) as stream:
        first = {arc[0]: math.exp(-arc[2]) for arc in Fst.read(stream).arcs_of(0).tolist()}
    share = math.exp(-0.25) / (math.exp(-0.25) + math.exp(-1.0))  # the costs of the two arcs of the start
    assert first == pytest.approx({0: share, 1: 1 - share}, abs=0.03)


def test_random_paths_are_paths(folder: Path, tmp_path: Path) -> None:
    for select in ("uniform", "log_prob"):
        words = "--npath=20", "--seed=7", f"--select={select}", folder / "acyclic"
        assert (
            fst_program("fstrandgen", *words, tmp_path / "a") == fst_program("fstrandgen", *words, tmp_path / "b") == 0
        )
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(text_of(tmp_path / "a").split("\n")) > 20
    assert fst_program("fstproject", tmp_path / "a", tmp_path / "input") == 0
    assert fst_program("fstarcsort", "--sort_type=olabel", tmp_path / "input", tmp_path / "sorted") == 0
    assert fst_program("fstcompose", tmp_path / "sorted", folder / "acyclic", tmp_path / "found") == 0
    with open_input(str(tmp_path / "found")) as found, open_input(str(tmp_path / "a")) as drawn:
        ends = np.isfinite(Fst.read(drawn).finals).sum()
        assert np.isfinite(Fst.read(found).finals).sum() >= ends > 1  # each is accepted
