"""Kaldi's egs/voxceleb, from recordings to equal error rates of i-vectors (v1) and x-vectors (v2), without Kaldi.

The recipe asks for ffmpeg, which is where VoxCeleb2's AAC comes in: here it is a script that copies a wave file.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.kaldi_recipes import (
    CUDA_IS_COMPILED,
    FASTER_XVECTORS,
    SMALL_XVECTORS,
    add_programs,
    change_scripts,
    copy_recipe,
    kaldi_checkout,
    run_recipe,
    write_wave,
)
from tests.helpers.made_up_speakers import Voice, make_musan, make_rooms

RATE = 16000
SPEAKERS = {"VoxCeleb2/dev/aac": 10, "VoxCeleb2/test/aac": 4, "VoxCeleb1/dev/wav": 10, "VoxCeleb1/test/wav": 8}
VIDEOS = 2  # of each speaker
UTTERANCES = 2  # of each video
SECONDS = 5.5  # the recipe leaves out what has less than 4 s of speech
# What so little data needs, on a CPU: fewer jobs and repetitions, smaller minibatches, layers and transforms.
SMALLER = {
    "v1": {
        "run.sh": {
            "data/train 2048 ": "data/train 16 ",
            "--ivector-dim 400 --num-iters 5 ": "--ivector-dim 32 --num-iters 2 --nj 2 --num-processes 2 ",
            "lda_dim=200": "lda_dim=16",
        }
    },
    "v2": {
        "run.sh": {"train_aug 1000000 ": "train_aug 250 ", "lda_dim=200": "lda_dim=16"},
        "local/nnet3/xvector/tuning/run_xvector_1a.sh": {**SMALL_XVECTORS, **FASTER_XVECTORS},
    },
}
FFMPEG = {"ffmpeg": 'exec cat "$4"'}  # ffmpeg -v 8 -i FILE ...


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    make_corpora(folder)
    make_rooms(folder / "RIRS_NOISES/simulated_rirs")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("version", SMALLER)
def test_run_sh(version: str, corpora: Path, tmp_path: Path) -> None:
    others = ("egs/voxceleb/v1/local", "egs/sre16/v1/local", "egs/sre08/v1/sid", "egs/sre08/v1/steps")
    recipe = copy_recipe(f"voxceleb/{version}", kaldi_checkout(), tmp_path, others=others)
    (recipe / "cmd.sh").write_text("export train_cmd=run.pl\n")
    change_scripts(recipe, SMALLER[version])
    script = (recipe / "run.sh").read_text()
    (recipe / "run.sh").write_text(re.sub(r"=/export/corpora/(JHU/)?", f"={corpora}/", script))
    (recipe / "RIRS_NOISES").symlink_to(corpora / "RIRS_NOISES")
    add_programs(recipe, tmp_path / "stand_ins", {**CUDA_IS_COMPILED, **FFMPEG})
    output = run_recipe(recipe)
    (rate,) = re.findall(r"^EER: (\S+)%", output, re.M)
    costs = re.findall(r"^minDCF\(p-target=\S+\): (\S+)", output, re.M)
    assert float(rate) < 20.0, output[-2000:]
    assert len(costs) == 2
    assert all(0.0 <= float(cost) <= 1.0 for cost in costs)


def make_corpora(folder: Path) -> None:
    """VoxCeleb's ``<set>/<part>/<speaker>/<video>/<number>``, MUSAN's three kinds of noise, and the list of trials."""
    random = np.random.default_rng(0)
    names: list[tuple[str, str]] = []
    for number, (part, count) in enumerate(SPEAKERS.items()):
        for speaker in range(count):
            name, voice = f"id{number}{speaker:04}", Voice(random, RATE)
            for video in range(VIDEOS):
                place = folder / part / name / f"video{video}"
                place.mkdir(parents=True)
                for utterance in range(1, UTTERANCES + 1):
                    suffix = "m4a" if part.endswith("aac") else "wav"
                    path = place / f"{utterance:05}.{suffix}"
                    write_wave(path, voice.speak(SECONDS), RATE)
                    if part == "VoxCeleb1/test/wav":
                        names.append((name, f"{name}/video{video}/{path.name}"))
    pairs = [(one, other) for one in names for other in names if one < other]
    (folder / "VoxCeleb1/voxceleb1_test_v2.txt").write_text(
        "".join(f"{int(one == other)} {first} {second}\n" for (one, first), (other, second) in pairs)
    )
    make_musan(folder / "musan", random)
