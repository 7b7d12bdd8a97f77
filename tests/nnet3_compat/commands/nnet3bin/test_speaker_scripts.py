"""Kaldi's unmodified sid/*.sh and diarization/*.sh with our programs: what they make with Kaldi's own.

speaker_scripts.json has that; make_speaker_scripts.py made it and has the speakers.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from nnet3_compat.machine.links import make_links
from nnet3_compat.machine.programs import find_programs
from tests.nnet3_compat.commands.nnet3bin.make_speaker_scripts import OUTPUTS, make_recipe, run_scripts


@pytest.mark.slow
def test_as_with_kaldis_programs(tmp_path: Path) -> None:
    programs = {p.kaldi_name: Path(sys.executable).parent / p.name for p in find_programs() if p.kaldi_name}
    recipe = tmp_path / "recipe"
    recipe.mkdir()
    make_recipe(recipe, str(make_links(tmp_path, programs)))
    made, kaldis = run_scripts(recipe), json.loads(OUTPUTS.read_text())
    for name in ("exp/clusters/rttm", "exp/three/rttm", "exp/eer"):
        assert made[name] == kaldis[name]
    assert made["exp/three/rttm"].count("SPEAKER r0") >= 8
    ours, theirs = ([line.split() for line in text["exp/trial_scores"].splitlines()] for text in (made, kaldis))
    assert [row[:2] for row in ours] == [row[:2] for row in theirs]
    scores, expected = (np.array([row[2] for row in rows], float) for rows in (ours, theirs))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
