"""Kaldi's egs/yesno, from recordings to a word error rate, with nothing of Kaldi compiled."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.kaldi_recipes import copy_recipe, kaldi_checkout, run_recipe, write_wave
from tests.helpers.made_up_sound import Sound, speech

RATE = 8000
WORDS: dict[str, list[Sound]] = {
    "0": [((250.0, 1100.0), 0.12), ((450.0, 800.0), 0.30)],
    "1": [((300.0, 2300.0), 0.12), ((500.0, 1800.0), 0.16), ((2500.0, 3400.0), 0.14)],
}
PAUSES = (0.25, 0.35, 0.45)
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
        samples = speech([WORDS[word] for word in words], RATE, random.uniform(95.0, 130.0), random, PAUSES)
        write_wave(waves / f"{'_'.join(words)}.wav", samples, RATE)
    output = run_recipe(recipe)
    rates = [float(rate) for rate in re.findall(r"^%WER (\S+)", output, re.M)]
    assert rates and min(rates) < 2.0, output[-2000:]
    scores = recipe / "exp/mono0a/decode_test_yesno/scoring_kaldi/wer_details"
    assert {"per_utt", "per_spk", "ops", "wer_bootci"} <= {path.name for path in scores.iterdir()}
