"""I-vectors by the step, in jobs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from tests.helpers.places import STEPS


def test_extract_ivectors(reference: Path, tmp_path: Path) -> None:
    """The first utterance of each of two speakers: Kaldi's, which are stored in bytes, 1/255 of the range.

    In directories with names that a shell would execute.
    """
    fsdd, folder = reference / "fsdd", tmp_path / """it's "a" $(touch EXECUTED) `touch EXECUTED`; ü & b"""
    data, ivectors_dir = folder / "data", folder / "ivectors"
    data.mkdir(parents=True)
    (folder / "extractor").symlink_to(fsdd / "ivector_extractor")
    paths = dict(line.split() for line in (fsdd / "data/test_hires/feats.scp").read_text().splitlines())
    speakers = dict(line.split() for line in (fsdd / "data/test_hires/utt2spk").read_text().splitlines())
    chosen = sorted({speaker: utterance for utterance, speaker in sorted(speakers.items(), reverse=True)}.values())
    (data / "feats.scp").write_text("".join(f"{key} {fsdd}/{paths[key]}\n" for key in chosen))
    (data / "utt2spk").write_text("".join(f"{key} {speakers[key]}\n" for key in chosen))
    (data / "spk2utt").write_text("".join(f"{speakers[key]} {key}\n" for key in chosen))
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    command = [STEPS / "extract_ivectors.sh", "--nj", "4", data, folder / "extractor", ivectors_dir]
    result = subprocess.run(list(map(str, command)), env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "has only 2 speakers: running 2 jobs, not 4" in result.stdout
    assert not list(tmp_path.rglob("EXECUTED"))
    assert (ivectors_dir / "ivector_period").read_text() == "10\n"
    found = dict(SequentialReader(f"scp:{ivectors_dir}/ivector_online.scp", FLOAT_MATRIX))
    with SequentialReader(f"ark:{fsdd}/ivectors_test/ivector_online.ark", FLOAT_MATRIX) as kaldis:
        expected = {key: ivectors for key, ivectors in kaldis if key in chosen}
    assert list(found) == chosen == list(expected)
    for key, ivectors in expected.items():
        np.testing.assert_allclose(found[key], ivectors, atol=(ivectors.max() - ivectors.min()) / 255)
