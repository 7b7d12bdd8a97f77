"""FSTs that look ahead, beside OpenFst's own files, to the byte; and what composes with them.

What OpenFst wrote is in lookahead.json; make_lookahead.py, which made it, has the inputs and the commands.
"""

import base64
import json
import random
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst, write_fst
from kaldi_bridge.fsts.lookahead import LookaheadFst, composed_looking_ahead, read_lookahead_fst
from tests.helpers.twins import twin
from tests.kaldi_bridge.fsts.make_lookahead import OUTPUTS, commands, is_kept, texts

KEPT = {name: base64.b64decode(data) for name, data in json.loads(OUTPUTS.read_text()).items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What our programs make of the same inputs."""
    folder = tmp_path_factory.mktemp("fsts")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, text in texts():
            (folder / "text").write_text(text)
            assert run(twin("fstcompile"), ["text", name]) == 0
        for name, (program, *words) in commands():
            assert run(twin(program), [*words, name]) == 0
    return folder


@pytest.mark.parametrize("name", sorted(name for name in KEPT if "lookahead" in name or name.endswith(".pairs")))
def test_files_are_openfsts(name: str, folder: Path) -> None:
    assert (folder / name).read_bytes() == KEPT[name]


@pytest.mark.parametrize("name", sorted(name for name in KEPT if "composed" in name or "untrimmed" in name))
def test_compositions_are_openfsts(name: str, folder: Path, tmp_path: Path) -> None:
    """The same states, arcs and costs, in the same order; headers of vector FSTs say what is known of them."""
    (tmp_path / name).write_bytes(KEPT[name])
    ours, theirs = read_fst(str(folder / name)), read_fst(str(tmp_path / name))
    assert ours.start == theirs.start and ours.num_states > 50
    np.testing.assert_array_equal(ours.finals, theirs.finals)
    np.testing.assert_array_equal(ours.offsets, theirs.offsets)
    np.testing.assert_array_equal(ours.arcs, theirs.arcs)


def test_all_that_was_kept_is_compared() -> None:
    assert all(is_kept(name) for name in KEPT)


@pytest.mark.parametrize("number", [5, 6])
def test_whatever_the_labels_are_called_the_paths_are_the_same(number: int, folder: Path, tmp_path: Path) -> None:
    """Labels that keep their numbers are more intervals, but the composition is equivalent."""
    plain = LookaheadFst.of(read_fst(f"{folder}/{number}.olabel.fst"))
    assert run(twin("fstarcsort"), [f"{folder}/grammar.{number}.fst", f"{tmp_path}/grammar.fst"]) == 0
    write_fst(f"{tmp_path}/kept.fst", composed_looking_ahead(plain, read_fst(f"{tmp_path}/grammar.fst")))
    kept, renumbered = (Paths(read_fst(name)) for name in (f"{tmp_path}/kept.fst", f"{folder}/{number}.composed.fst"))
    found = 0
    for seed in range(60):
        letters = kept.random_letters(random.Random(seed))
        best = kept.best(letters)
        assert best is not None
        other = renumbered.best(letters)
        assert other is not None and other[1] == best[1]
        assert other[0] == pytest.approx(best[0], abs=0.02)  # OpenFst rounds what goes forward, to 1/1024 each
        found += len(best[1])
    assert found > 60


class Paths:
    """The best path of an FST for letters, by trying all."""

    def __init__(self, fst: Fst) -> None:
        self.fst = fst
        self.arcs = [fst.arcs_of(state).tolist() for state in range(fst.num_states)]

    def random_letters(self, chance: random.Random) -> list[int]:
        """Of a path that gets to an end."""
        state, letters = self.fst.start, []
        while len(letters) < 12 or not np.isfinite(self.fst.finals[state]):
            label, _, _, state = chance.choice(self.arcs[state])
            letters.append(label)
        return letters

    def best(self, letters: list[int]) -> tuple[float, tuple[int, ...]] | None:
        reached: dict[int, tuple[float, tuple[int, ...]]] = {self.fst.start: (0.0, ())}
        for letter in letters:
            next_reached: dict[int, tuple[float, tuple[int, ...]]] = {}
            for state, (cost, words) in self._closed(reached).items():
                for label, word, weight, target in self.arcs[state]:
                    if label == letter:
                        way = (cost + weight, (*words, word) if word else words)
                        next_reached[target] = min(way, next_reached.get(target, way))
            reached = next_reached
        ends = [(cost + float(self.fst.finals[s]), words) for s, (cost, words) in self._closed(reached).items()]
        return min((end for end in ends if np.isfinite(end[0])), default=None)

    def _closed(self, reached: dict[int, tuple[float, tuple[int, ...]]]) -> dict[int, tuple[float, tuple[int, ...]]]:
        reached, waiting = dict(reached), list(reached)
        while waiting:
            state = waiting.pop()
            cost, words = reached[state]
            for label, word, weight, target in self.arcs[state]:
                way = (cost + weight, (*words, word) if word else words)
                if label == 0 and (target not in reached or way < reached[target]):
                    reached[target] = way
                    waiting.append(target)
        return reached


def test_what_is_not_sorted_is_told(folder: Path) -> None:
    unsorted = Fst.from_arcs(0, {1: 0.0}, [(0, 1, 2, 0.0, 1), (0, 1, 1, 0.0, 1)])
    with pytest.raises(KaldiError, match="fstarcsort"):
        LookaheadFst.of(unsorted)
    with pytest.raises(KaldiError, match=r"not sorted by input label.*fstarcsort"):
        composed_looking_ahead(
            read_lookahead_fst(f"{folder}/5.olabel_lookahead.fst"),
            Fst.from_arcs(0, {1: 0.0}, [(0, 2, 2, 0.0, 1), (0, 1, 1, 0.0, 1)]),
        )


def test_damaged_files_are_told(folder: Path, tmp_path: Path) -> None:
    """Cut at any place, or with any byte of what is added changed: read, or refused with the file's name."""
    whole = KEPT["1.olabel_lookahead.fst"]
    chance = random.Random(3)
    name = str(tmp_path / "damaged.fst")
    for size in range(0, len(whole), 3):
        Path(name).write_bytes(whole[:size])
        with pytest.raises(KaldiError, match=r"damaged\.fst"):
            read_lookahead_fst(name)
    for place in range(len(whole) - 90, len(whole)):
        Path(name).write_bytes(whole[:place] + bytes([chance.randint(0, 255)]) + whole[place + 1 :])
        try:
            read_lookahead_fst(name)
        except KaldiError as error:
            assert "damaged.fst" in str(error)


def test_unknown_types_and_places_that_cannot_be_written(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fst = f"{folder}/5.olabel.fst"
    assert run(twin("fstconvert"), ["--fst_type=look_ahead", fst, f"{tmp_path}/out.fst"]) == 1
    assert "olabel_lookahead" in capfd.readouterr().err
    flags = ["--fst_type=olabel_lookahead", f"--save_relabel_opairs={tmp_path}/none/pairs"]
    assert run(twin("fstconvert"), [*flags, fst, f"{tmp_path}/out.fst"]) == 1
    assert not (tmp_path / "out.fst").exists()
