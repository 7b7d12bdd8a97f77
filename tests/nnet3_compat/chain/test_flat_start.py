"""nnet3-chain-e2e-get-egs: examples of whole utterances, as Kaldi's program makes them of gmm/kaldis (flat_start/)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE, ChainExample
from kaldi_bridge.fsts.acceptors import Acceptor
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.chain.flat_start import shortest_length
from tests.helpers.places import ROOT
from tests.helpers.twins import twin

FOLDER = Path(__file__).parent / "flat_start"
OPTIONS = "--frame-subsampling-factor=3 --left-context=4 --right-context=3"
LENGTHS = "--num-frames=129,150,141,120,3"
INPUTS = "ark:feats.ark ark:graphs.fsts model.mdl"


@pytest.fixture(autouse=True)
def in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "tests/kaldi_bridge/gmm/kaldis")


def get_egs(arguments: str) -> int:
    return run(twin("nnet3-chain-e2e-get-egs"), arguments.split())


def read(path: Path) -> dict[str, ChainExample]:
    with SequentialReader(f"ark:{path}", CHAIN_EXAMPLE) as reader:
        return dict(reader)


def test_normalized_ones_are_kaldis(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Byte for byte, i-vectors of random frames included; lengths that are allowed with a frame more or less."""
    vectors = "--left-context-initial=0 --online-ivectors=ark:feats2.ark --online-ivector-period=1 --srand=3"
    arguments = f"{OPTIONS} {LENGTHS} {vectors} {FOLDER}/normalization.fst {INPUTS} ark:{tmp_path}/out.cegs"
    assert get_egs(arguments) == 0
    assert (tmp_path / "out.cegs").read_bytes() == (FOLDER / "normalized.cegs").read_bytes()
    heard = capfd.readouterr().err
    assert "length of utt a-1 which has length: 130 closest allowed length is off by 1 frames" in heard
    assert "Number of subsampled frames: 1, Minimum number of frames required by the fst: 2" in heard
    assert "1 utterances had errors and could not be processed." in heard


def test_plain_ones_are_kaldis(tmp_path: Path) -> None:
    """But for the order of a state's arcs."""
    assert get_egs(f"{OPTIONS} {LENGTHS} {INPUTS} ark:{tmp_path}/out.cegs") == 0
    ours, kaldis = read(tmp_path / "out.cegs"), read(FOLDER / "plain.cegs")
    assert list(ours) == list(kaldis) == ["a-1", "a-2", "b-1", "b-2"]
    for key, example in kaldis.items():
        (mine,), (theirs,) = ours[key].outputs, example.outputs
        np.testing.assert_array_equal(mine.indexes, theirs.indexes)
        np.testing.assert_array_equal(mine.deriv_weights, theirs.deriv_weights)
        assert sorted_arcs(mine.supervision.e2e_fsts[0]) == sorted_arcs(theirs.supervision.e2e_fsts[0])
        for one, other in zip(ours[key].inputs, example.inputs, strict=True):
            features: Any = one.features, other.features
            np.testing.assert_array_equal(*(matrix.decompress() for matrix in features))


def sorted_arcs(fst: Any) -> list[Any]:
    acceptor = Acceptor.from_fst(fst)
    return [sorted(arcs) for arcs in acceptor.arcs], acceptor.finals  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (f"--num-frames=141 {INPUTS} ark:OUT", "Too much length difference for utterance a-1"),
        (f"--num-frames=-1 {INPUTS} ark:OUT", "Too much length difference for utterance a-1"),
        ("--num-frames=130 ark:feats.ark ark:graphs.fsts /dev/null ark:OUT", "/dev/null"),
        (f"--num-frames=130 tree {INPUTS} ark:OUT", "tree"),
    ],
)
def test_errors(arguments: str, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert get_egs(arguments.replace("OUT", str(out))) == 255
    assert message in capfd.readouterr().err
    assert not out.exists()


def test_shortest_length() -> None:
    infinity = float("inf")
    arcs: list[list[tuple[int, float, int]]] = [[(1, 0.0, 0), (1, 0.0, 1)], [(2, 0.0, 2)], []]
    assert shortest_length(Acceptor(0, arcs, [infinity, infinity, 0.0])) == 2
    assert shortest_length(Acceptor(0, arcs, [infinity] * 3)) is None
