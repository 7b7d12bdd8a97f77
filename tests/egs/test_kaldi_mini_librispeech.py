"""Kaldi's egs/mini_librispeech, from FLAC files to a chain model that decodes online, with nothing of Kaldi compiled.

bench/recipes.py does the same stage by stage, beside Kaldi.
"""

import re
from pathlib import Path

import pytest

from tests.helpers.kaldi_recipes import copy_mini_librispeech, kaldi_checkout, run_recipe
from tests.helpers.made_up_librispeech import make_corpus


@pytest.mark.slow
@pytest.mark.timeout(14400)
def test_run_sh(tmp_path: Path) -> None:
    """run.sh ends with local/chain2/run_tdnn.sh, whose trainer has no twin; the test takes its older sister."""
    make_corpus(tmp_path / "corpus")
    recipe = copy_mini_librispeech(kaldi_checkout(), tmp_path, tmp_path / "corpus")
    script = (recipe / "run.sh").read_text()
    (recipe / "run.sh").write_text(script.replace("local/chain2/run_tdnn.sh", "local/chain/run_tdnn.sh"))
    run_recipe(recipe, "run.sh --stage 1", timeout=14000.0)
    assert len((recipe / "data/local/dict/lexiconp_silprob.txt").read_text().splitlines()[0].split()) > 5
    chain = "chain_online_cmn/tdnn1k_sp"
    for directory, best in (("tri3b", 2.0), (chain, 20.0), (f"{chain}_online", 20.0)):
        for language_model in ("tgsmall", "tglarge"):
            results = (recipe / f"exp/{directory}/decode_{language_model}_dev_clean_2").glob("wer_*")
            text = "".join(path.read_text() for path in results)
            rates = [float(rate) for rate in re.findall(r"^%WER (\S+)", text, re.M)]
            assert rates and min(rates) < best, f"{directory}, {language_model}: {rates}"
