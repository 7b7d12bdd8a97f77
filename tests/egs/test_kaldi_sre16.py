"""Kaldi's egs/sre16/v2, from corpora of calls to equal error rates of x-vectors, with nothing of Kaldi compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.helpers.kaldi_recipes import FASTER_XVECTORS, SMALL_XVECTORS, copy_speaker_recipe, kaldi_checkout, run_recipe
from tests.helpers.made_up_calls import (
    RATE,
    SECONDS,
    make_corpora,
    name_of_call,
    pairs,
    write_call,
    write_lines,
)
from tests.helpers.made_up_speakers import Voice

# What so little data needs, on a CPU: fewer jobs, smaller minibatches, layers and transforms.
SMALLER = {
    "run.sh": {" 128000 data/": " 160 data/", "lda_dim=150": "lda_dim=10"},
    "local/make_mx6.sh": {" 2000 ": " 10 "},
    "local/nnet3/xvector/tuning/run_xvector_1a.sh": {
        **SMALL_XVECTORS,
        **FASTER_XVECTORS,
        "num-epochs=3": "num-epochs=8",
    },
}
MICROPHONES = ("02", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13")
LANGUAGES = ("tgl", "yue")
ENROLLED = 6  # speakers, of two calls each
TESTS = 4  # calls of each of them
KINDS = ("nontarget", "target")
UNLABELED = {"major": 24, "minor": 2}  # calls


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_run_sh(tmp_path: Path) -> None:
    corpora, random = tmp_path / "corpora", np.random.default_rng(0)
    speakers = make_corpora(corpora, random)
    write_keys_of_2008(corpora / "LDC/LDC2011S08/data/keys/NIST_SRE08_KEYS.v0.1", speakers)
    make_evaluation_of_2010(corpora / "SRE/SRE2010/eval", speakers)
    make_mixer6(corpora / "LDC/LDC2013S03/mx6_speech", speakers)
    make_evaluation_of_2016(corpora / "SRE/R149_0_1", random)
    make_unlabeled(corpora / "SRE/LDC2016E46_SRE16_Call_My_Net_Training_Data/data/unlabeled", random)
    recipe = copy_speaker_recipe("sre16/v2", kaldi_checkout(), tmp_path, corpora, SMALLER)
    output = run_recipe(recipe, timeout=7000.0)
    found = re.findall(r"^Using (.*) PLDA, EER: Pooled (.*)%, Tagalog (.*)%, Cantonese (.*)%", output, re.M)
    assert [name for name, *_ in found] == ["Out-of-Domain", "Adapted"], output[-2000:]
    assert all(float(rate) < 30.0 for _, *rates in found for rate in rates), found


def write_keys_of_2008(folder: Path, speakers: Mapping[str, Voice]) -> None:
    """Models of the calls in the corpus for training, and trials of those in the one for testing."""
    models, trials = [], []
    for number, (man, woman) in enumerate(pairs(speakers)):
        for speaker, gender, side in ((man, "m", "a"), (woman, "f", "b")):
            models.append(f"{speaker}{side},{gender},{name_of_call('LDC2011S05', number)}:{side},{speaker}")
            trials.append(f"{speaker}{side},{name_of_call('LDC2011S08', number)},{side},target")
    write_lines(folder / "model-keys/NIST_SRE08_short2.model.key", models)
    write_lines(folder / "trial-keys/NIST_SRE08_short2-short3.trial.key", trials)


def make_evaluation_of_2010(folder: Path, speakers: Mapping[str, Voice]) -> None:
    """A call of each to train with, and a trial of another."""
    train, models, trials = [], [], []
    for number, (man, woman) in enumerate(pairs(speakers)):
        for kind in ("train", "test"):
            write_call(folder / f"data/{kind}{number}.sph", speakers[man], speakers[woman])
        for speaker, gender, side in ((man, "m", "a"), (woman, "f", "b")):
            models.append(f"{speaker}{side},{speaker}")
            train.append(f"{speaker}{side} {gender} data/train{number}.sph:{side.upper()}")
            trials.append(f"{speaker}{side},test{number},{side},target")
    write_lines(folder / "keys/coreext.modelkey.csv", models)
    write_lines(folder / "keys/coreext-coreext.trialkey.csv", trials)
    write_lines(folder / "train/coreext.trn", train)


def make_mixer6(folder: Path, speakers: Mapping[str, Voice]) -> None:
    """An interview of each of two speakers, with eleven microphones, and a call of the two."""
    man, woman = pairs(speakers)[0]
    write_lines(folder / "docs/mx6_subjs.csv", [f"{man},M", f"{woman},F"])
    sessions = {speaker: f"20090714_{number:06}_HRM_{speaker}" for number, speaker in enumerate((man, woman))}
    for speaker, session in sessions.items():
        for microphone in MICROPHONES:
            path = folder / f"data/pcm_flac/CH{microphone}/{session}_CH{microphone}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, speakers[speaker].speak(SECONDS), RATE)
    times = ",,,,,,,0.0,6.4,"
    write_lines(folder / "docs/mx6_ivcomponents.csv", [session + times for session in sessions.values()])
    write_call(folder / "data/ulaw_sphere/20090714_120000_7001.sph", speakers[man], speakers[woman])
    write_lines(folder / "docs/mx6_calls.csv", [f"7001,20090714_120000,,,{man}{',' * 8}{woman},"])


def make_evaluation_of_2016(folder: Path, random: np.random.Generator) -> None:
    """Calls of new speakers, of one language each, to enroll and to test; all pairs of a language are trials."""
    enrollment = ["modelid segment side"]
    trials = ["modelid segment side targettype"]
    segments, calls = ["segment call"], ["call_id language_id"]
    speakers = {f"{1001 + number}_sre16": Voice(random, RATE) for number in range(ENROLLED)}
    languages = dict(zip(speakers, cycle(LANGUAGES)))
    tests = {f"test{number:02}": speaker for number, speaker in enumerate(TESTS * list(speakers))}
    for speaker, voice in speakers.items():
        for call in range(2):
            name = f"enroll_{speaker}_{call}"
            write_call(folder / f"data/enrollment/{name}.sph", voice)
            enrollment.append(f"{speaker} {name} a")
    for number, (test, said_by) in enumerate(tests.items()):
        write_call(folder / f"data/test/{test}.sph", speakers[said_by])
        segments.append(f"{test} {number}")
        calls.append(f"{number} {languages[said_by]}")
        trials += [
            f"{one} {test} a {KINDS[one == said_by]}" for one in speakers if languages[one] == languages[said_by]
        ]
    write_lines(folder / "docs/sre16_eval_enrollment.tsv", enrollment)
    write_lines(folder / "docs/sre16_eval_trial_key.tsv", trials)
    write_lines(folder / "docs/sre16_eval_segment_key.tsv", segments)
    write_lines(folder / "metadata/calls.tsv", calls)


def make_unlabeled(folder: Path, random: np.random.Generator) -> None:
    for part, calls in UNLABELED.items():
        for number in range(calls):
            write_call(folder / part / f"{part}{number:02}.sph", Voice(random, RATE))
