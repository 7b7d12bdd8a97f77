"""Kaldi's egs/aishell, from recordings to character error rates of two networks, with nothing of Kaldi compiled.

Features have pitch, on which words depend that differ in tones alone. The recipe estimates its language model with
kaldi_lm, in whose place nnet-pytorch-train-lm stands.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.kaldi_recipes import (
    CUDA_IS_COMPILED,
    add_programs,
    best_rate,
    change_scripts,
    copy_recipe,
    kaldi_checkout,
    run_recipe,
    write_wave,
)
from tests.helpers.made_up_sound import noise, sound, sounds_of

RATE = 16000
LEXICON = {
    "SIL": "sil",
    "<SPOKEN_NOISE>": "sil",
    "妈妈": "m a1 m a1",
    "马": "m a3",
    "骂": "m a4",
    "八": "b a1",
    "爸爸": "b a4 b a4",
    "你": "n i3",
    "泥": "n i1",
    "李": "l i3",
    "力": "l i4",
    "不": "b u4",
    "五": "uu u3",
    "木": "m u4",
}
PITCH = {"1": 1.35, "3": 0.75, "4": 1.0}  # of tones, over the speaker's
SPEAKERS = {"train": 16, "dev": 10, "test": 10}
SENTENCES = {"train": 12, "dev": 2, "test": 2}
WORDS = 6  # in a sentence, which are enough for the chunks that the chain model is trained on
# What so little data needs, on a CPU: fewer Gaussians, jobs and epochs, smaller layers and minibatches.
SMALLER = {
    "run.sh": {},
    "local/nnet3/run_ivector_common.sh": {"_subset 512": "_subset 64"},
    "local/nnet3/tuning/run_tdnn_1a.sh": {
        "num_epochs=4": "num_epochs=1",
        "num_jobs_initial=2": "num_jobs_initial=1",
        "num_jobs_final=12": "num_jobs_final=1",
        "dim=850": "dim=64",
        "--egs.dir": "--egs.opts '--num-utts-subset 40' --egs.dir",
    },
    "local/chain/tuning/run_tdnn_1a.sh": {
        "num_jobs_initial=2": "num_jobs_initial=1",
        "num_jobs_final=12": "num_jobs_final=1",
        "minibatch_size=128": "minibatch_size=16,8,1",
        "dim=625": "dim=64",
        "--frames-overlap-per-eg 0": "--frames-overlap-per-eg 0 --num-utts-subset 40",
    },
}
KALDI_LM = {
    "get_word_map.pl": 'awk \'{print $1, $1}\'; for word in "$@"; do echo "$word $word"; done',
    "train_lm.sh": 'folder=$4/$3; mkdir -p $folder; nnet-pytorch-train-lm --has-keys=false "gunzip -c $4/train.gz |" '
    '"| gzip -c > $folder/lm_unpruned.gz"',
}


LOCALE = {"locale": "echo C.UTF-8"}  # which newer C libraries call C.utf8; the scripts then ask for en_US.UTF-8


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_run_sh(tmp_path: Path) -> None:
    recipe = copy_recipe("aishell/s5", kaldi_checkout(), tmp_path)
    change_scripts(recipe, SMALLER, jobs=2)
    script = (recipe / "run.sh").read_text()
    (recipe / "run.sh").write_text(re.sub(r"^data=.*", f"data={tmp_path}/corpus", script, flags=re.M))
    (recipe / "cmd.sh").write_text("export train_cmd=run.pl decode_cmd=run.pl\n")
    add_programs(recipe, tmp_path / "stand_ins", {**CUDA_IS_COMPILED, **KALDI_LM, **LOCALE})
    make_corpus(tmp_path / "corpus")
    run_recipe(recipe, timeout=7000.0)
    # Within run.sh it perturbs the data once more, and refuses to, since nnet3/run_tdnn.sh has done it.
    run_recipe(recipe, "local/chain/run_tdnn.sh", "--stage", "7")
    most = {"tri5a": 2.0, "nnet3/tdnn_sp": 5.0, "chain/tdnn_1a_sp": 20.0}
    rates = {
        f"{system} {part}": best_rate(recipe / f"exp/{system}/decode_{part}", "cer")
        for system in most
        for part in ("dev", "test")
    }
    assert all(rate < most[name.partition(" ")[0]] for name, rate in rates.items()), rates


def make_corpus(folder: Path) -> None:
    """What the recipe's downloads are: ``data_aishell`` with waves and transcripts, and a lexicon."""
    random = np.random.default_rng(0)
    toneless = sorted({phone.rstrip("134") for phones in LEXICON.values() for phone in phones.split()} - {"sil"})
    sounds = sounds_of(toneless)
    words = [word for word, phones in LEXICON.items() if phones != "sil"]
    transcripts = []
    for part_number, (part, speakers) in enumerate(SPEAKERS.items()):
        for number in range(speakers):
            speaker, pitch = f"S{part_number}{number:03}", random.uniform(100.0, 200.0)
            place = folder / "data_aishell/wav" / part / speaker
            place.mkdir(parents=True)
            for sentence in range(SENTENCES[part]):
                name = f"BAC009{speaker}W{sentence:04}"
                chosen = random.choice(words, WORDS).tolist()
                pieces = [noise(0.1, RATE, random)]
                for word in chosen:
                    for phone in LEXICON[word].split():
                        tone = PITCH.get(phone[-1], 1.0)
                        pieces.append(sound(sounds[phone.rstrip("134")], RATE, tone * pitch, random))
                    pieces.append(noise(random.choice((0.0, 0.1)), RATE, random))
                pieces.append(noise(0.1, RATE, random))
                write_wave(place / f"{name}.wav", np.concatenate(pieces).astype(np.int16), RATE)
                transcripts.append(f"{name} {' '.join(chosen)}\n")
    transcript = folder / "data_aishell/transcript/aishell_transcript_v0.8.txt"
    transcript.parent.mkdir()
    transcript.write_text("".join(transcripts))
    (folder / "resource_aishell").mkdir()
    (folder / "resource_aishell/lexicon.txt").write_text("".join(f"{w} {p}\n" for w, p in LEXICON.items()))
    for part in ("data_aishell", "resource_aishell"):
        (folder / part / ".complete").touch()
