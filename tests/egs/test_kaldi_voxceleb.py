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
    add_programs,
    change_scripts,
    copy_recipe,
    kaldi_checkout,
    run_recipe,
    write_wave,
)
from tests.helpers.made_up_sound import sound, sounds_of

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
        "local/nnet3/xvector/tuning/run_xvector_1a.sh": {
            "num-jobs-initial=3": "num-jobs-initial=1",
            "num-jobs-final=8": "num-jobs-final=1",
            "initial-effective-lrate=0.001": "initial-effective-lrate=0.005",
            "final-effective-lrate=0.0001": "final-effective-lrate=0.001",
            "minibatch-size=64": "minibatch-size=16",
            "dim=512": "dim=32",
            "dim=1500": "dim=64",
        },
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
            name, voice = f"id{number}{speaker:04}", Voice(random)
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
    for kind in ("speech", "noise", "music"):
        place = folder / "musan" / kind / "free"
        place.mkdir(parents=True)
        recordings = [f"{kind}-free-{number:04}" for number in range(8)]
        for recording in recordings:
            samples = Voice(random).speak(4.0) if kind == "speech" else random.normal(0.0, 2000.0, 4 * RATE)
            write_wave(place / f"{recording}.wav", samples.astype(np.int16), RATE)
        if kind == "music":
            (place / "ANNOTATIONS").write_text("".join(f"{recording} pop Y someone\n" for recording in recordings))


class Voice:
    """A speaker: some sounds, in whose pitch and resonances the speakers differ."""

    def __init__(self, random: np.random.Generator) -> None:
        pitch, size = random.uniform(80.0, 240.0), random.uniform(0.75, 1.35)
        self.random = random
        self.sounds = [
            sound(((first * size, second * size), seconds), RATE, pitch * random.uniform(0.9, 1.1), random)
            for (first, second), seconds in sounds_of([str(number) for number in range(12)]).values()
        ]

    def speak(self, seconds: float) -> np.ndarray:
        """int16 samples of these sounds in a random order."""
        count = int(seconds / 0.10)  # of sounds_of's length
        pieces = [self.sounds[index] for index in self.random.integers(len(self.sounds), size=count)]
        return np.concatenate(pieces).astype(np.int16)


def make_rooms(folder: Path) -> None:
    """Impulse responses of two kinds of rooms, and their lists."""
    random = np.random.default_rng(1)
    for kind, seconds in (("smallroom", 0.1), ("mediumroom", 0.2)):
        lines = []
        for room in range(1, 4):
            path = folder / kind / f"Room{room:03}" / f"Room{room:03}-00001.wav"
            path.parent.mkdir(parents=True)
            time = np.arange(int(0.4 * RATE)) / RATE
            response = random.normal(0.0, 1500.0, len(time)) * np.exp(-time / seconds * 3.0)
            response[20] = 20000.0
            write_wave(path, response.astype(np.int16), RATE)
            lines.append(f"--rir-id {kind}-{room} --room-id {kind}-{room} {path.relative_to(folder.parents[1])}\n")
        (folder / kind / "rir_list").write_text("".join(lines))
