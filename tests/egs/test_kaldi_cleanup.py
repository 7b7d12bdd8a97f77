"""Kaldi's steps/cleanup, unmodified, where nothing of Kaldi is compiled.

The files in cleanup/ are what the same scripts made of the same data with Kaldi's programs (and OpenFst's).
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.fsts.linear import linear_acceptor
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.tables import SequentialReader
from tests.helpers.kaldi_recipes import copy_recipe, kaldi_checkout, run_recipe, write_wave
from tests.helpers.vosk_models import samples_of

KALDIS = Path(__file__).parent / "cleanup"
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SCRIPTS = """set -e
. ./path.sh
export LC_ALL=C
for x in short long; do
  utils/utt2spk_to_spk2utt.pl $x/utt2spk > $x/spk2utt
  steps/make_mfcc.sh --nj 1 --cmd run.pl $x
  steps/compute_cmvn_stats.sh $x
done
steps/cleanup/find_bad_utts.sh --nj 2 --cmd run.pl --top-n-words 5 short lang model bad
steps/cleanup/clean_and_segment_data.sh --nj 2 --cmd run.pl \\
  --graph-opts "--min-words-per-graph 20 --top-n-words 5" short lang model clean clean_data
steps/cleanup/segment_long_utterances.sh --nj 1 --cmd run.pl --graph-opts "--top-n-words 5" \\
  model lang long long_data long_work
"""

UTTERANCES = 20
CALL = "steps/cleanup/make_biased_lm_graphs.sh --nj 2 --cmd run.pl --min-words-per-graph 10 --top-n-words 3"


@pytest.mark.slow
def test_graphs_of_biased_language_models(reference: Path, tmp_path: Path) -> None:
    """Each utterance's graph has a way to say what its transcript has."""
    recipe = copy_recipe("mini_librispeech/s5", kaldi_checkout(), tmp_path)
    kaldis = reference / "fsdd"
    shutil.copytree(kaldis / "lang", recipe / "lang")
    for name in ("tree", "final.mdl"):
        (recipe / "model").mkdir(exist_ok=True)
        shutil.copy(kaldis / "tri1" / name, recipe / "model")
    shutil.copy(kaldis / "lang/phones.txt", recipe / "model")
    transcripts = (kaldis / "data/train/text").read_text().splitlines()[:UTTERANCES]
    (recipe / "text").write_text("\n".join(transcripts) + "\n")
    (recipe / "graphs.sh").write_text(f"set -e\n. ./path.sh\n{CALL} text lang model $PWD/graphs\n")
    run_recipe(recipe, "graphs.sh")
    numbers = dict(line.split() for line in (kaldis / "lang/words.txt").read_text().splitlines())
    said = {key: words for key, *words in map(str.split, transcripts)}
    found = 0
    for key, graph in SequentialReader(f"scp:{recipe}/graphs/HCLG.fsts.scp", FST):
        words = OpenFst.of(linear_acceptor([int(numbers[word]) for word in said[key]]))
        assert OpenFst.of(graph).composed(words, "right").num_states, key
        found += 1
    assert found == UTTERANCES


def write_data(recipe: Path, corpus: Path) -> None:
    """``short``: every tenth utterance, half of them with errors in their transcripts; ``long``: the same joined.

    The long transcript lacks three utterances besides, and has four words that nobody says.
    """
    train = corpus / "train"
    texts = {key: words for key, *words in map(str.split, (train / "text").read_text().splitlines())}
    files = {key: corpus / file for key, file in map(str.split, (train / "wav.scp").read_text().splitlines())}
    chosen = sorted(texts)[::10]
    rng = np.random.default_rng(0)
    parts, said, lines = [], [], []
    for n, key in enumerate(chosen):
        words, middle = list(texts[key]), len(texts[key]) // 2
        if n % 4 == 1:
            words[middle] = DIGITS[(DIGITS.index(words[middle]) + 3) % 10]
        if n % 4 == 3:
            words.pop()
        lines.append(f"{key} {' '.join(words)}\n")
        pause = int(rng.integers(2400, 6400))
        parts += [samples_of(files[key]), rng.integers(-20, 21, pause).astype("<i2")]
        if not 18 <= n < 21:
            said += words
        if n == 30:
            said += ["nine"] * 4
    (recipe / "wav").mkdir()
    write_wave(recipe / "wav/long.wav", np.concatenate(parts), 8000)
    for name, tables in (
        (
            "short",
            {
                "text": "".join(lines),
                "utt2spk": "".join(f"{key} {key.split('-')[0]}\n" for key in chosen),
                "wav.scp": "".join(f"{key} {files[key]}\n" for key in chosen),
            },
        ),
        (
            "long",
            {
                "text": f"long {' '.join(said)}\n",
                "utt2spk": "long long\n",
                "wav.scp": f"long {recipe}/wav/long.wav\n",
            },
        ),
    ):
        (recipe / name).mkdir()
        for file, text in tables.items():
            (recipe / name / file).write_text(text)


@pytest.mark.slow
def test_cleanup_gives_what_kaldis_programs_give(reference: Path, corpus: Path, tmp_path: Path) -> None:
    """find_bad_utts.sh, clean_and_segment_data.sh (make_biased_lm_graphs.sh in it) and segment_long_utterances.sh.

    Segments, texts and the table of bad utterances are the same to the byte.
    """
    recipe = copy_recipe("mini_librispeech/s5", kaldi_checkout(), tmp_path)
    kaldis = reference / "fsdd"
    shutil.copytree(kaldis / "lang", recipe / "lang")
    (recipe / "model").mkdir()
    for file in ("tri1/tree", "tri1/final.mdl", "lang/phones.txt"):
        shutil.copy(kaldis / file, recipe / "model")
    (recipe / "model/cmvn_opts").write_text("\n")
    (recipe / "model/final.occs").write_text("")
    (recipe / "conf/mfcc.conf").write_text((kaldis / "conf/mfcc.conf").read_text() + "--dither=0\n")
    write_data(recipe, corpus / "fsdd")
    (recipe / "cleanup.sh").write_text(SCRIPTS)
    run_recipe(recipe, "cleanup.sh")
    for ours, expected in (
        ("bad/all_info.sorted.txt", "bad.txt"),
        *((f"{kind}_data/{file}", f"{kind}.{file}") for kind in ("clean", "long") for file in ("segments", "text")),
    ):
        assert (recipe / ours).read_text() == (KALDIS / expected).read_text(), ours
