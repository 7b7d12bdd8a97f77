"""Kaldi's egs/callhome_diarization/v2: who spoke when, by x-vectors and resegmentation, with nothing of Kaldi compiled.

Errors are counted by NIST's md-eval.pl, and resegmentation is a Python script that imports kaldi_io and
numexpr: programs of others.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.helpers.kaldi_recipes import FASTER_XVECTORS, SMALL_XVECTORS, copy_speaker_recipe, kaldi_checkout, run_recipe
from tests.helpers.made_up_calls import RATE, make_corpora, write_archive
from tests.helpers.made_up_sound import noise
from tests.helpers.made_up_speakers import Voice

# What so little data needs, on a CPU: fewer jobs, smaller minibatches, layers, mixtures and transforms.
SMALLER = {
    "run.sh": {
        "num_components=1024": "num_components=16",
        "ivector_dim=400": "ivector_dim=16",
        "data/train_aug 128000": "data/train_aug 160",
        "data/sre_cmn_segmented 128000": "data/sre_cmn_segmented 90",
        "data/train 32000": "data/train 100",
        "--num-threads 8": "--num-threads 1",
        "--num-iters 5": "--num-iters 2",
        # Where the script before leaves it
        "-s $output_rttm_dir/VB_rttm": "-s exp/VB/VB_rttm",
    },
    "local/make_callhome.sh": {"head -n 250": "head -n 10"},
    "local/nnet3/xvector/tuning/run_xvector_1a.sh": {
        **SMALL_XVECTORS,
        **FASTER_XVECTORS,
        "num-epochs=3": "num-epochs=8",
        "dim=128": "dim=16",
    },
    # Without the option it hands its Python script an empty word instead, which that refuses.
    "diarization/VB_resegmentation.sh": {'"$save_opts"': "$save_opts"},
}
RECORDINGS = 20  # of two or three speakers
TURNS = 8  # in each


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_run_sh(tmp_path: Path) -> None:
    kaldi = kaldi_checkout()
    if shutil.which("md-eval.pl") is None:
        pytest.skip("needs md-eval.pl, of NIST's SCTK, on the PATH")
    if subprocess.run(["python3", "-c", "import kaldi_io, numexpr, scipy"], capture_output=True).returncode != 0:
        pytest.skip("needs a python3 that imports kaldi_io, numexpr and scipy")
    corpora, random = tmp_path / "corpora", np.random.default_rng(0)
    make_corpora(corpora, random)
    make_callhome(corpora, random)
    recipe = copy_speaker_recipe("callhome_diarization/v2", kaldi, tmp_path, corpora, SMALLER)
    output = run_recipe(recipe, timeout=7000.0)
    found = dict(re.findall(r"^(.*), DER: (\S+)%", output, re.M))
    assert list(found) == [
        "Using supervised calibration",
        "Using the oracle number of speakers",
        "After VB resegmentation",
    ], output[-2000:]
    assert all(float(rate) < 40.0 for rate in found.values()), found


def make_callhome(corpora: Path, random: np.random.Generator) -> None:
    """Conversations, and the key that is downloaded: who speaks when, how many they are, and segments of speech."""
    folder = corpora / "NIST/LDC2001S97/data"
    folder.mkdir(parents=True)
    turns, counts, segments = [], [], []
    for number in range(RECORDINGS):
        name = f"ia{number:02}"
        voices = [Voice(random, RATE) for _ in range(2 + number % 2)]
        pieces, time = [], 0.0
        for turn in range(TURNS):
            seconds, pause = random.uniform(2.5, 4.0), random.uniform(0.3, 0.6)
            speaker = turn % len(voices)
            said = voices[speaker].speak(seconds)
            pieces += [said, noise(pause, RATE, random).astype(np.int16)]
            start, end = time, time + len(said) / RATE
            time += (len(said) + len(pieces[-1])) / RATE
            turns.append(f"SPEAKER {name} 0 {start:.2f} {end - start:.2f} <NA> <NA> {speaker} <NA> <NA>")
            segments.append(f"{name}_{turn:03} {name} {start:.2f} {end:.2f}")
        counts.append(f"{name} {len(voices)}")
        soundfile.write(folder / f"{name}.sph", np.concatenate(pieces), RATE, format="NIST", subtype="ULAW")
    key = {"reco2num": counts, "segments": segments, "fullref.rttm": turns}
    archive = corpora / "downloads/sre2000-key.tar.gz"
    write_archive(archive, {f"sre2000-key/{name}": lines for name, lines in key.items()})
