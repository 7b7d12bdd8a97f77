"""egs/fsdd/demo.sh on what every clone holds: from wav files to a word error rate, with a model trained in PyTorch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.places import ROOT


@pytest.mark.slow
def test_from_wav_files_to_a_word_error_rate(tmp_path: Path) -> None:
    """Both ways of decoding, by the step and as one chain of pipes, find most of the synthetic digits."""
    tiny = ROOT / "egs/tiny"
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    command = [f"{ROOT}/egs/fsdd/demo.sh", "--exp", str(tmp_path), "--corpus", str(tiny / "data")]
    command += ["--model", str(tiny / "model"), "--graph", str(tiny / "graph")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stderr
    rates = [float(line.split()[1]) for line in result.stdout.splitlines() if line.startswith("%WER")]
    assert len(rates) == 2
    assert max(rates) < 20.0


def test_a_corpus_that_is_none(tmp_path: Path) -> None:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    command = [f"{ROOT}/egs/fsdd/demo.sh", "--exp", str(tmp_path), "--corpus", str(tmp_path)]
    command += ["--model", f"{ROOT}/egs/tiny/model", "--graph", f"{ROOT}/egs/tiny/graph"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert result.returncode == 1
    assert "has neither text, utt2spk and wav.scp" in result.stderr
