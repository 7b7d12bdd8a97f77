"""Lattices are those of Kaldi's nnet3-latgen-grammar (kept in grammar/).

grammar.fst is what Kaldi's make-grammar-fst made of three graphs of utils/mkgraph.sh: a loop of digits, of which one to
six are a nonterminal, and pairs that lead into it are another.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from tests.helpers.twins import twin

KALDIS = Path(__file__).parent / "grammar"
SEARCH = ["--acoustic-scale=1.0", "--frame-subsampling-factor=3", "--beam=12", "--lattice-beam=5"]


@pytest.fixture
def features(reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(reference / "fsdd")  # paths in its .scp files begin there
    options = Path("tdnnf_cmvn/cmvn_opts").read_text().split()
    tables = ["scp:data/test_hires/cmvn.scp", "scp:awk 'NR%90==1' data/test_hires/feats.scp|", f"ark:{tmp_path}/feats"]
    assert run(twin("apply-cmvn"), [*options, "--utt2spk=ark:data/test_hires/utt2spk", *tables]) == 0
    return tables[-1]


def test_as_kaldi(features: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Words, transition-ids, log lines and the arcs of lattices; costs to 1e-3."""
    capfd.readouterr()
    outputs = [f"ark:{tmp_path}/{kind}" for kind in ("lat", "words", "ali")]
    arguments = ["tdnnf_cmvn/final.mdl", KALDIS / "grammar.fst", features, *outputs]
    assert run(twin("nnet3-latgen-grammar"), [*SEARCH, *map(str, arguments)]) == 0
    logged = re.findall(r"^LOG \(.*\.py:\d+\) ((?:Log-like|Done|Overall).*)$", capfd.readouterr().err, re.M)
    assert logged == (KALDIS / "log").read_text().splitlines()
    for kind in ("words", "ali"):
        made = dict(SequentialReader(f"ark:{tmp_path}/{kind}", INT32_VECTOR))
        expected = dict(SequentialReader(f"ark:{KALDIS}/{kind}", INT32_VECTOR))
        assert made.keys() == expected.keys() and all(np.array_equal(made[key], expected[key]) for key in made)
    lattices = dict(SequentialReader(f"ark:{tmp_path}/lat", COMPACT_LATTICE))
    for key, lattice in SequentialReader(f"ark:{KALDIS}/lat", COMPACT_LATTICE):
        for state, kaldis_state in zip(lattices[key].to_lists()[0], lattice.to_lists()[0], strict=True):
            for arc, kaldis_arc in zip(state, kaldis_state, strict=True):
                assert (arc[0], arc[3], arc[4]) == (kaldis_arc[0], kaldis_arc[3], kaldis_arc[4])
                assert arc[1:3] == pytest.approx(kaldis_arc[1:3], abs=1e-3)
