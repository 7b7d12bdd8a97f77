"""lattice-prune, given a lattice with a cycle: it is written as it is, with a warning, as Kaldi's program did."""

from pathlib import Path

import pytest

from kaldi_bridge.command import run
from tests.helpers.twins import twin

LATTICES = "a \n0\t1\t1\t1.5,2.5,2_4_6\n1\t0\t2\t2,1,8_10_12\n1\t0.5,0,\n\nb \n0\t1\t1\t1.5,2.5,2_4_6\n1\t0.5,0,\n\n"


def test_a_cycle(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").write_text(LATTICES)
    assert run(twin("lattice-prune"), ["--beam=4", f"ark:{tmp_path}/in", f"ark,t:{tmp_path}/out"]) == 0
    assert (tmp_path / "out").read_text() == LATTICES
    assert "Error pruning lattice for utterance a" in capfd.readouterr().err
