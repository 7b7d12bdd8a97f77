"""Kaldi's unmodified rnnlm/prepare_rnnlm_dir.sh, train_rnnlm.sh and compute_perplexity.sh with our programs."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.helpers.kaldi_recipes import kaldi_checkout, run_recipe
from tests.nnet3_compat.rnnlm.made_up_text import write_text

HERE = Path(__file__).parent
# The least and the largest perplexity of three calls with Kaldi's programs, whose samples are others each time.
KALDIS = {"features": (282.8, 289.5), "words": (220.4, 231.3)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KALDIS)
def test_trained_as_with_kaldis_programs(kind: str, tmp_path: Path) -> None:
    kaldi = kaldi_checkout()
    for part in ("steps", "utils"):
        shutil.copytree(kaldi / "egs/wsj/s5" / part, tmp_path / part, symlinks=True)
    shutil.copytree(kaldi / "scripts/rnnlm", tmp_path / "rnnlm")
    path = f"{Path(sys.executable).parent}/nnet-pytorch-path --all --fork-server --print-args=false"
    (tmp_path / "path.sh").write_text(f'. "$({path})"\nexport PATH=$PWD/utils:$PATH LC_ALL=C\n')
    write_text(tmp_path)
    shutil.copy(HERE / "train_tiny.sh", tmp_path)
    (tmp_path / "run.sh").write_text(f"bash train_tiny.sh {kind}\n")
    output = run_recipe(tmp_path, timeout=900.0)
    lowest, highest = KALDIS[kind]
    perplexity = float(re.findall("perplexity is ([0-9.]+)", output)[-1])
    assert 0.9 * lowest < perplexity < 1.1 * highest
    assert (tmp_path / "exp/rnnlm/report.txt").read_text().startswith("Train objf: ")
