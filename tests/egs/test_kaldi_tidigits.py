"""Kaldi's egs/tidigits, from SPHERE files to word error rates, with nothing of Kaldi or sph2pipe compiled."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.kaldi_recipes import best_rate, copy_recipe, kaldi_checkout, link_programs, run_recipe
from tests.helpers.made_up_sound import sounds_of, speech
from tests.helpers.shorten_encoder import Encoder
from tests.helpers.sphere_files import sphere_bytes

RATE = 20000
LEXICON = {  # of local/tidigits_prepare_lang.sh
    "z": "z iy r ow",
    "o": "ow",
    "1": "w ah n",
    "2": "t uw",
    "3": "th r iy",
    "4": "f ao r",
    "5": "f ay v",
    "6": "s ih k s",
    "7": "s eh v ah n",
    "8": "ey t",
    "9": "n ay n",
}
SPEAKERS = {"train": 25, "test": 10}
SENTENCES = {"train": 40, "test": 3}  # of each; the recipe takes 1000 to train its first model with
SHORTENED = 25  # as LDC's are; the others are plain, since the test's compressor is slow


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_run_sh(tmp_path: Path) -> None:
    recipe = copy_recipe("tidigits/s5", kaldi_checkout(), tmp_path)
    link_programs(tmp_path / "tools/sph2pipe_v2.5")
    make_corpus(tmp_path / "corpus/data/adults")
    script = (recipe / "run.sh").read_text()
    (recipe / "run.sh").write_text(re.sub(r"^tidigits=.*", f"tidigits={tmp_path}/corpus", script, flags=re.M))
    (recipe / "cmd.sh").write_text("export train_cmd=run.pl decode_cmd=run.pl mkgraph_cmd=run.pl\n")
    output = run_recipe(recipe)
    for system in ("mono0a", "tri1"):
        assert best_rate(recipe / f"exp/{system}/decode") < 5.0, output[-2000:]


def make_corpus(folder: Path) -> None:
    """<part>/<sex>/<speaker>/<digits><take>.wav, which are SPHERE files."""
    random = np.random.default_rng(0)
    sounds = sounds_of(sorted({phone for phones in LEXICON.values() for phone in phones.split()}))
    written = 0
    for part, speakers in SPEAKERS.items():
        for number in range(speakers):
            speaker = folder / part / ("man", "woman")[number % 2] / f"{part[1]}{chr(ord('a') + number)}"
            speaker.mkdir(parents=True)
            pitch = random.uniform(90.0, 220.0)
            for name in sentences(SENTENCES[part], random):
                words = [[sounds[phone] for phone in LEXICON[digit].split()] for digit in name[:-1]]
                samples = speech(words, RATE, pitch, random)[:, None]
                (speaker / f"{name}.wav").write_bytes(sphere_file(samples, written < SHORTENED))
                written += 1


def sentences(count: int, random: np.random.Generator) -> list[str]:
    """Names of so many files: one or two digits, and which of two takes it is."""
    digits = list(LEXICON)
    names = [one + two + take for one in digits for two in ["", *digits] for take in "ab"]
    return [names[index] for index in random.permutation(len(names))[:count]]


def sphere_file(samples: np.ndarray, shortened: bool) -> bytes:
    if not shortened:
        return sphere_bytes(samples.astype("<i2").tobytes(), samples.shape, "pcm", "01", RATE)
    samples = samples[: len(samples) // 256 * 256]
    encoder = Encoder(kind=5, channels=1)
    encoder.blocks(samples, 256)
    return sphere_bytes(encoder.close(), samples.shape, "pcm,embedded-shorten-v2.00", "01", RATE)
