"""Kaldi's egs/rm, from SPHERE files to MMI, MPE, fMMI and a chain model, with nothing of Kaldi compiled.

Two lines are taken out of its run.sh: local/run_sgmm2.sh, since subspace mixtures stay out, and
local/chain/run_tdnn_online_cmn.sh, a script that the recipe does not have.
"""

from __future__ import annotations

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
    link_programs,
    run_recipe,
)
from tests.helpers.made_up_sound import Sound, sounds_of, speech
from tests.helpers.sphere_files import sphere_bytes

RATE = 16000
LEXICON = {  # as in pcdsril.txt, whose closures the recipe joins with what follows them
    "all": "ao l",
    "is": "ih z",
    "list": "l ih s tcl t",
    "near": "n iy axr",
    "new": "n uw",
    "ship": "sh ih pcl p",
    "show": "sh ow",
    "the": "dh ah",
    "was": "w ah z",
    "zone": "z ow n",
}
NEXT = {  # the word-pair grammar
    "SENTENCE-END": ["SHOW", "LIST", "WAS", "IS"],
    "SHOW": ["THE", "ALL"],
    "LIST": ["ALL", "NEW"],
    "WAS": ["THE", "NEW"],
    "IS": ["THE", "ALL"],
    "THE": ["NEW", "SHIP", "ZONE"],
    "ALL": ["SHIP", "NEW", "ZONE"],
    "NEW": ["SHIP", "ZONE"],
    "SHIP": ["NEAR", "SENTENCE-END"],
    "NEAR": ["THE", "SENTENCE-END"],
    "ZONE": ["SENTENCE-END"],
}
SPEAKERS = 10  # of the training set
SENTENCES = {"train": 30, "test": 4}
TESTS = ("1_mar87", "2_oct87", "4_feb89", "5_oct89", "6_feb91", "7_sep92")  # of two speakers each
# What so little data needs, on a CPU: fewer utterances, Gaussians, jobs and epochs, smaller layers and minibatches.
SMALLER = {
    "run.sh": {
        "/export/corpora5/LDC/LDC93S3A": "corpus",
        "data/train 1000 data/train.1k": "data/train 100 data/train.1k",
        "  250 data/train": "  50 data/train",
        "--nj 4 ": "--nj 2 ",
        "--nj 8 ": "--nj 2 ",
        "\nlocal/run_sgmm2.sh\n": "\n",
        "\nlocal/chain/run_tdnn_online_cmn.sh\n": "\n",
    },
    "local/online/run_nnet2_common.sh": {" 256 exp/tri3b": " 32 exp/tri3b", "--num-processes 2": "--num-processes 1"},
    "local/chain/tuning/run_tdnn_5p.sh": {
        "num_epochs=13": "num_epochs=3",
        "num_jobs_initial=2": "num_jobs_initial=1",
        "num_jobs_final=4": "num_jobs_final=1",
        "minibatch_size=128": "minibatch_size=16,4,1",
        "frames_per_eg=150": "frames_per_eg=100,70",
        "--frames-overlap-per-eg 0": "--frames-overlap-per-eg 0 --num-utts-subset 40",
        "dim=768": "dim=64",
        "bottleneck-dim=96": "bottleneck-dim=16",
        "=192": "=32",
    },
}
SYSTEMS = {  # the directories of decoding, and the highest word error rate
    "mono/decode": 10.0,
    "tri1/decode": 5.0,
    "tri2b/decode": 5.0,
    "tri2b_mmi/decode_it4": 5.0,
    "tri2b_mmi_b0.05/decode_it4": 5.0,
    "tri2b_mpe/decode_it4": 5.0,
    "tri3b/decode": 5.0,
    "tri3b_mmi/decode": 5.0,
    "tri3b_mmi/decode2": 5.0,
    "tri3b_fmmi_b/decode_it8": 5.0,
    "tri3b_fmmi_c/decode_it8": 5.0,
    "tri3b_fmmi_d/decode_it8": 5.0,
    "chain/tdnn_5p/decode": 20.0,
}


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_run_sh(tmp_path: Path) -> None:
    recipe = copy_recipe("rm/s5", kaldi_checkout(), tmp_path)
    change_scripts(recipe, SMALLER, jobs=2)
    link_programs(tmp_path / "tools/sph2pipe_v2.5")
    add_programs(recipe, tmp_path / "without_gpu", CUDA_IS_COMPILED)
    (recipe / "cmd.sh").write_text("export train_cmd=run.pl decode_cmd=run.pl cuda_cmd=run.pl\n")
    make_corpus(recipe / "corpus/rm_comp")
    output = run_recipe(recipe, timeout=7000.0)
    assert "decoder comparison test succeeded" in output
    rates = {name: best_rate(recipe / "exp" / name) for name in SYSTEMS}
    assert all(rates[name] <= most for name, most in SYSTEMS.items()), rates


def make_corpus(folder: Path) -> None:
    """Recordings of sentences that the word-pair grammar allows, and the documents with them."""
    random = np.random.default_rng(0)
    sounds = sounds_of(sorted({phone for word in LEXICON for phone in pronunciation(word)}))
    words = {word.upper(): [sounds[phone] for phone in pronunciation(word)] for word in LEXICON}
    first, second = folder / "rm1_audio1/rm1", folder / "rm1_audio2/2_4_2/rm1"
    prompts: list[str] = []
    speakers: list[str] = []

    def record(place: Path, count: int) -> None:
        speakers.append(f"s{len(speakers):02}0_{len(speakers) % 9}")
        pitch = random.uniform(90.0, 220.0)
        (place / speakers[-1]).mkdir(parents=True)
        for _ in range(count):
            said = sentence(random)
            prompts.append(f"{' '.join(said)} (ST{len(prompts):04})\n")
            path = place / speakers[-1] / f"st{len(prompts) - 1:04}.sph"
            path.write_bytes(recording([words[word] for word in said], pitch, random))

    for speaker in range(SPEAKERS):
        record(first / "ind_trn" if speaker % 2 else second / "ind/dev_aug", SENTENCES["train"])
    for test in TESTS:
        for _ in range(2):
            record(second / "ind" / test, SENTENCES["test"])
        listed = sorted((second / "ind" / test).rglob("*.sph"))
        index = second / f"doc/tests/{test}/{test[0]}_indtst.ndx"
        index.parent.mkdir(parents=True)
        index.write_text("; list\n" + "".join(f"{path.relative_to(second.parent)}\n" for path in listed))
    for path, lines in {
        first / "doc/al_sents.snr": ["; sentences\n", *prompts],
        first / "doc/wp_gram.txt": [f">{word}\n" + "".join(f" {x}\n" for x in NEXT[word]) for word in NEXT],
        folder / "rm1_audio2/2_5_1/rm1/doc/al_spkrs.txt": [f"{speaker[:4]} M\n" for speaker in speakers],
        folder / "rm2_audio/3-1.2/rm2/doc/al_spkrs.txt": ["; none\n"],
        folder / "rm1_audio2/2_4_2/score/src/rdev/pcdsril.txt": [f"{w}  {p}\n" for w, p in LEXICON.items()],
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines))


def pronunciation(word: str) -> list[str]:
    """Without the closures, which are silent."""
    return [phone for phone in LEXICON[word].split() if not phone.endswith("cl")]


def sentence(random: np.random.Generator) -> list[str]:
    """Words as the grammar allows them, 3 to 8 of them."""
    while True:
        words = [random.choice(NEXT["SENTENCE-END"])]
        while words[-1] != "SENTENCE-END":
            words.append(random.choice(NEXT[words[-1]]))
        if 4 <= len(words) <= 9:
            return [str(word) for word in words[:-1]]


def recording(words: list[list[Sound]], pitch: float, random: np.random.Generator) -> bytes:
    samples = speech(words, RATE, pitch, random)
    return sphere_bytes(samples.astype("<i2").tobytes(), (len(samples), 1), "pcm", "01", RATE)
