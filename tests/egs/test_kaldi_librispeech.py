"""Kaldi's egs/librispeech, from FLAC files to a chain model on cleaned data, with nothing of Kaldi compiled.

Of its run.sh one line is taken out, the download of language models, which lie where it would put them.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.helpers.kaldi_recipes import (
    CUDA_IS_COMPILED,
    add_programs,
    best_rate,
    change_scripts,
    copy_recipe,
    kaldi_checkout,
    run_jobs_here,
    run_recipe,
)
from tests.helpers.made_up_librispeech import make_corpus

TESTS = ("test_clean", "test_other", "dev_clean", "dev_other")
PARTS = {  # chapters; utterances of one and of many words in each
    "train-clean-100": (12, 8, 8),
    "train-clean-360": (6, 4, 6),
    "train-other-500": (6, 4, 6),
    **{test.replace("_", "-"): (4, 1, 2) for test in TESTS},
}
# What so little data needs, on a CPU: fewer utterances, Gaussians, jobs and epochs, smaller layers and minibatches; and
# fewer scales that lattices are scored with.
SMALLER = {
    "run.sh": {
        "  local/download_lm.sh $lm_url data/local/lm\n": "",
        "data/train_clean_100 2000 data/train_2kshort": "data/train_clean_100 100 data/train_2kshort",
        "data/train_clean_100 5000 data/train_5k": "data/train_clean_100 120 data/train_5k",
        "data/train_clean_100 10000 data/train_10k": "data/train_clean_100 150 data/train_10k",
    },
    "local/run_cleanup_segmentation.sh": {"\nnj=100\n": "\nnj=2\n", "decode_nj=16": "decode_nj=2"},
    "local/score.sh": {"min_lmwt=7": "min_lmwt=9", "max_lmwt=17": "max_lmwt=11"},
    "local/nnet3/run_ivector_common.sh": {
        "_sp_hires 60000 data": "_sp_hires 300 data",
        "$num_utts_total/100": "$num_utts_total/2",
        "_subset 512": "_subset 64",
    },
    "local/chain/tuning/run_tdnn_1d.sh": {
        "decode_nj=50": "decode_nj=2",
        "--num-threads-ubm 6 --num-processes 3": "--num-threads-ubm 2 --num-processes 1",
        "dim=1536 bottleneck-dim=160": "dim=64 bottleneck-dim=16",
        "tdnn1 $affine_opts dim=1536": "tdnn1 $affine_opts dim=64",
        "big-dim=1536 small-dim=256": "big-dim=64 small-dim=32",
        "prefinal-l dim=256": "prefinal-l dim=32",
        "--frames-overlap-per-eg 0": "--frames-overlap-per-eg 0 --num-utts-subset 40",
        "num-chunk-per-minibatch 64": "num-chunk-per-minibatch 16,4,1",
        "num-epochs 4": "num-epochs 2",
        "initial-effective-lrate 0.00015": "initial-effective-lrate 0.002",  # as for mini_librispeech
        "final-effective-lrate 0.000015": "final-effective-lrate 0.0002",
        "num-jobs-initial 3": "num-jobs-initial 1",
        "num-jobs-final 16": "num-jobs-final 1",
    },
}
# Where the test sets were decoded with the small language model, and the highest word error rate. Some speakers say too
# little for fMLLR, without which words are not recognized, by Kaldi's programs either.
SYSTEMS = {
    "tri6b/decode_tgsmall_{}": 12.0,
    "tri6b_cleaned/decode_{}_tgsmall": 12.0,
    "chain_cleaned/tdnn_1d_sp/decode_{}_tgsmall": 20.0,
}


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_run_sh(tmp_path: Path) -> None:
    recipe = copy_recipe("librispeech/s5", kaldi_checkout(), tmp_path)
    change_scripts(recipe, SMALLER, jobs=2)
    script = (recipe / "run.sh").read_text()
    (recipe / "run.sh").write_text(re.sub(r"^data=.*", f"data={tmp_path}/corpus", script, flags=re.M))
    run_jobs_here(recipe)
    add_programs(recipe, tmp_path / "without_gpu", CUDA_IS_COMPILED)
    make_corpus(tmp_path / "corpus", PARTS)
    shutil.copytree(tmp_path / "corpus/lm", recipe / "data/local/lm")
    run_recipe(recipe, timeout=7000.0)
    for decoded, most in SYSTEMS.items():
        for model in ("tgsmall", "tgmed", "tglarge", "fglarge"):
            folder = decoded.replace("tgsmall", model)
            rates = {test: best_rate(recipe / "exp" / folder.format(test)) for test in TESTS}
            assert max(rates.values()) <= most, (folder, rates)
    online = {test: best_rate(recipe / f"exp/chain_cleaned/tdnn_1d_sp_online/decode_{test}_tgsmall") for test in TESTS}
    assert max(online.values()) <= 20.0, online
