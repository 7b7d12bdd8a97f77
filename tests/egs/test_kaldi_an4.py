"""Kaldi's egs/an4, from SPHERE files to word error rates after LDA+MLLT and SAT, with nothing of Kaldi compiled."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.lang.ngram_estimation import estimate
from tests.helpers.kaldi_recipes import best_rate, copy_recipe, kaldi_checkout, link_programs, run_recipe
from tests.helpers.made_up_sound import sounds_of, speech
from tests.helpers.sphere_files import sphere_bytes

RATE = 16000
DICTIONARY = {  # as etc/an4.dic has it, with a second pronunciation
    "A": "AH",
    "A(2)": "EY",
    "B": "B IY",
    "ENTER": "EH N T ER",
    "FIVE": "F AY V",
    "GO": "G OW",
    "NINE": "N AY N",
    "NO": "N OW",
    "RUBOUT": "R AH B AW T",
    "SIX": "S IH K S",
    "YES": "Y EH S",
}
NOT_IN_DICTIONARY = "MEMORY"  # one of five words that run.sh takes out of the language model
SPEAKERS = {"train": 10, "test": 4}
SENTENCES = {"train": 15, "test": 5}
LONGEST = 5  # words


pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe's directory after its whole run.sh."""
    folder = tmp_path_factory.mktemp("an4")
    recipe = copy_recipe("an4/s5", kaldi_checkout(), folder)
    link_programs(folder / "tools/sph2pipe_v2.5")
    make_corpus(folder / "corpus/an4")
    script = (recipe / "run.sh").read_text()
    (recipe / "run.sh").write_text(re.sub(r"^data=.*", f"data={folder}/corpus", script, flags=re.M))
    (recipe / "cmd.sh").write_text("export train_cmd=run.pl decode_cmd=run.pl mkgraph_cmd=run.pl\n")
    run_recipe(recipe)
    return recipe


def test_run_sh(recipe: Path) -> None:
    rates = {system: best_rate(recipe / f"exp/{system}/decode") for system in ("mono", "tri1", "tri2", "tri3")}
    assert max(rates.values()) < 5.0, rates


def test_more_steps(recipe: Path) -> None:
    """Scripts that no recipe of these tests calls: the same words, whatever adapts the models or rescores lattices."""
    shutil.copy(Path(__file__).with_name("more_steps.sh"), recipe)
    run_recipe(recipe, "more_steps.sh")
    scored = {path.parent for path in recipe.glob("exp/**/wer_10_0.0")}
    rates = {str(folder.relative_to(recipe)): best_rate(folder) for folder in scored}
    assert len(rates) >= 18
    assert max(rates.values()) < 12.0, rates


def make_corpus(folder: Path) -> None:
    """``wav/<part>/<speaker>/<sentence>-<speaker>-<letter>.sph``; ``etc`` with transcripts, dictionary, unigrams."""
    random = np.random.default_rng(0)
    phones = sorted({phone for phones in DICTIONARY.values() for phone in phones.split()})
    sounds = sounds_of(phones)
    words = list(DICTIONARY)
    said = []
    (folder / "etc").mkdir(parents=True)
    (folder / "README").touch()
    for part, part_folder in (("train", "an4_clstk"), ("test", "an4test_clstk")):
        with open(folder / f"etc/an4_{part}.transcription", "w") as transcripts:
            for number in range(SPEAKERS[part]):
                speaker = "mf"[number % 2] + part[1] + chr(ord("a") + number) + "b"
                pitch = random.uniform(90.0, 220.0)
                (folder / "wav" / part_folder / speaker).mkdir(parents=True)
                for sentence in range(SENTENCES[part]):
                    chosen = random.choice(words, random.integers(1, LONGEST + 1)).tolist()
                    name = f"an{sentence + 100}-{speaker}-b"
                    samples = speech([[sounds[p] for p in DICTIONARY[w].split()] for w in chosen], RATE, pitch, random)
                    data = sphere_bytes(samples.astype("<i2").tobytes(), (len(samples), 1), "pcm", "01", RATE)
                    (folder / "wav" / part_folder / speaker / f"{name}.sph").write_bytes(data)
                    said.append([word.partition("(")[0] for word in chosen])
                    transcripts.write(f"<s> {' '.join(said[-1])} </s> ({name})\n")
    (folder / "etc/an4.dic").write_text("".join(f"{word}\t{DICTIONARY[word]}\n" for word in words))
    (folder / "etc/an4.phone").write_text("".join(f"{phone}\n" for phone in ["SIL", *phones]))
    spoken = {word for sentence in said for word in sentence}
    unigrams = estimate([*said, [NOT_IN_DICTIONARY]], 1, {*spoken, NOT_IN_DICTIONARY})
    (folder / "etc/an4.ug.lm").write_text("".join(f"{line}\n" for line in unigrams.arpa_lines()))
