"""Kaldi's egs/yesno, from recordings to a word error rate, with nothing of Kaldi compiled."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.kaldi_recipes import copy_recipe, kaldi_checkout, made_up_speech, run_recipe, write_wave

RECORDINGS = 60  # half of them to train with, as the recipe divides them


@pytest.mark.slow
def test_run_sh(tmp_path: Path) -> None:
    recipe = copy_recipe("yesno/s5", kaldi_checkout(), tmp_path)
    waves = recipe / "waves_yesno"
    waves.mkdir()
    random = np.random.default_rng(0)
    sentences = list(itertools.product("01", repeat=8))
    for index in random.permutation(len(sentences))[:RECORDINGS]:
        words = sentences[index]
        write_wave(waves / f"{'_'.join(words)}.wav", made_up_speech("".join(words), random))
    output = run_recipe(recipe)
    rates = [float(rate) for rate in re.findall(r"^%WER (\S+)", output, re.M)]
    assert rates and min(rates) < 2.0, output[-2000:]
    scores = recipe / "exp/mono0a/decode_test_yesno/scoring_kaldi/wer_details"
    assert {"per_utt", "per_spk", "ops", "wer_bootci"} <= {path.name for path in scores.iterdir()}
