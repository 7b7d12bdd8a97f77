"""Kaldi's egs/mini_librispeech, from FLAC files to chain models, with nothing of Kaldi compiled.

bench/recipes.py does the same stage by stage, beside Kaldi.
"""

import re
from pathlib import Path

import pytest

from tests.helpers.kaldi_recipes import best_rate, copy_mini_librispeech, kaldi_checkout, run_recipe
from tests.helpers.made_up_librispeech import make_corpus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(14400)]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe's directory after its whole run.sh, as it is, which ends with local/chain2/run_tdnn.sh."""
    folder = tmp_path_factory.mktemp("mini_librispeech")
    make_corpus(folder / "corpus")
    recipe = copy_mini_librispeech(kaldi_checkout(), folder, folder / "corpus")
    run_recipe(recipe, "run.sh", "--stage", "1", timeout=14000.0)
    return recipe


def best_rates(recipe: Path, model: str) -> dict[str, float]:
    """Best word error rate of a model with the language model of its graph, and after rescoring with the large one."""
    decoded = {name: recipe / f"exp/{model}/decode_{name}_dev_clean_2" for name in ("tgsmall", "tglarge")}
    return {name: best_rate(folder) for name, folder in decoded.items()}


@pytest.mark.parametrize(("model", "most"), [("tri3b", 2.0), ("chain2/tdnn1a_sp", 20.0)])
def test_run_sh(recipe: Path, model: str, most: float) -> None:
    rates = best_rates(recipe, model)
    assert max(rates.values()) < most, rates


def test_what_run_sh_leaves(recipe: Path) -> None:
    """Pronunciation probabilities, rescored lattices, a combination of several iterations."""
    assert len((recipe / "data/local/dict/lexiconp_silprob.txt").read_text().splitlines()[0].split()) > 5
    assert list((recipe / "exp/tri3b/decode_tgmed_dev_clean_2").glob("lat.*.gz"))
    combined = (recipe / "exp/chain2/tdnn1a_sp/log/combine.log").read_text()
    ((before, after),) = re.findall(r"objective function changed from (\S+) to (\S+)", combined)
    assert float(after) >= float(before) > -1.0


def test_chain_run_tdnn(recipe: Path) -> None:
    """local/chain/run_tdnn.sh, which the recipe had before, decodes in pieces as they are heard, too.

    The first stages, which perturb the data, have been gone through by then.
    """
    run_recipe(recipe, "local/chain/run_tdnn.sh", "--stage", "4", timeout=14000.0)
    for model in ("chain_online_cmn/tdnn1k_sp", "chain_online_cmn/tdnn1k_sp_online"):
        rates = best_rates(recipe, model)
        assert max(rates.values()) < 20.0, rates
