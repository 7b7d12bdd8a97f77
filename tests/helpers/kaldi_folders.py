"""Of the digits that Kaldi was trained on: a directory for online decoding, and a long recording."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from tests.helpers.kaldi_recipes import write_wave
from tests.helpers.vosk_models import samples_of

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
Place = tuple[float, float, list[str]]


def digits_folder(reference: Path, folder: Path) -> Path:
    """As prepare_online_decoding.sh lays them out: the network without i-vectors, its features normalized online."""
    kaldis = reference / "fsdd"
    (folder / "conf").mkdir(parents=True)
    shutil.copy(kaldis / "tdnnf_cmvn/final.mdl", folder)
    shutil.copy(kaldis / "chain_tree/tree", folder)
    (folder / "frame_subsampling_factor").write_text("3\n")
    conf = folder / "conf"
    (conf / "mfcc.conf").write_text((kaldis / "conf/mfcc_hires.conf").read_text() + "--dither=0\n")
    (conf / "online_cmvn.conf").write_text("--norm-vars=true\n")
    shutil.copy(kaldis / "ivector_extractor/global_cmvn.stats", conf)
    files = {"mfcc-config": "mfcc.conf", "cmvn-config": "online_cmvn.conf", "global-cmvn-stats": "global_cmvn.stats"}
    options = "".join(f"--{option}={conf / name}\n" for option, name in files.items())
    (conf / "online.conf").write_text(f"--feature-type=mfcc\n{options}--endpoint.silence-phones=1:2:3:4:5:6:7:8:9:10\n")
    return folder


def long_digits(corpus: Path, folder: Path) -> tuple[Path, list[Place]]:
    """A data directory of one recording, and when which words are said.

    In its text a third of the utterances have an error, two are missing, and four words are there that nobody says.
    """
    train = corpus / "fsdd/train"
    texts = {key: words for key, *words in map(str.split, (train / "text").read_text().splitlines())}
    files = {key: corpus / "fsdd" / file for key, file in map(str.split, (train / "wav.scp").read_text().splitlines())}
    random, parts, places, text, reached = np.random.default_rng(0), [], [], [], 0
    for n, key in enumerate(sorted(texts)[::20]):
        samples, pause = (
            samples_of(files[key]),
            random.integers(-20, 21, int(random.integers(2400, 6400))).astype("<i2"),
        )
        places.append((reached / 8000, (reached + len(samples)) / 8000, texts[key]))
        parts += [samples, pause]
        reached += len(samples) + len(pause)
        words = list(texts[key])
        if n % 3 == 1:
            words[-1] = WORDS[(WORDS.index(words[-1]) + 3) % 10]
        if n not in (9, 10):
            text += words
        if n == 15:
            text += ["nine"] * 4
    write_wave(folder / "long.wav", np.concatenate(parts), 8000)
    data = folder / "data"
    data.mkdir()
    (data / "text").write_text(f"long {' '.join(text)}\n")
    (data / "utt2spk").write_text("long someone\n")
    (data / "wav.scp").write_text(f"long {folder}/long.wav\n")
    return data, places
