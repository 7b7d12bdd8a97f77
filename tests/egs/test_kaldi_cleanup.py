"""Kaldi's steps/cleanup, unmodified, where nothing of Kaldi is compiled."""

import shutil
from pathlib import Path

import pytest

from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.fsts.linear import linear_acceptor
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.tables import SequentialReader
from tests.helpers.kaldi_recipes import copy_recipe, kaldi_checkout, run_recipe

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
