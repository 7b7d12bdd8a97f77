"""Training of background models and i-vector extractors beside Kaldi's programs, on made-up features.

In one thread each, so that processors' time says what a job of a training costs: 512 Gaussians, 40 dimensions,
i-vectors of 100; 300 utterances of 250 frames.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import tempfile
from pathlib import Path

import numpy as np
from beside_kaldi import compare

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.gmm.full_model import FullMixture, write_full_mixture
from kaldi_bridge.gmm.mixture_files import write_mixture
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.pruned_posteriors import best_posteriors
from kaldi_bridge.ivectors.model import ExtractorModel, write_model
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32_RAGGED, SPARSE_POSTERIOR
from kaldi_bridge.tables.integer_lists import RaggedIntegers

GAUSSIANS, DIM, IVECTOR_DIM = 512, 40, 100
UTTERANCES, FRAMES, SELECTED = 300, 250, 30


def make_inputs(folder: Path) -> None:
    random = np.random.default_rng(0)
    means = random.normal(0, 1, (GAUSSIANS, DIM))
    weights, variances = np.full(GAUSSIANS, 1 / GAUSSIANS), random.uniform(0.3, 1, (GAUSSIANS, DIM))
    mixture = Mixtures.of_moments(np.array([0, GAUSSIANS]), weights, means, variances)
    full = FullMixture.of_diagonal(mixture)
    write_mixture(f"{folder}/dubm", mixture)
    write_full_mixture(f"{folder}/ubm", full)
    write_model(f"{folder}/ie", ExtractorModel.initial(full, IVECTOR_DIM, False, CRandom(1)))
    with (
        TableWriter(f"ark:{folder}/feats.ark", FLOAT_MATRIX) as feats_out,
        TableWriter(f"ark:{folder}/post.ark", SPARSE_POSTERIOR) as posteriors_out,
        TableWriter(f"ark:{folder}/gselect.ark", INT32_RAGGED) as selections_out,
    ):
        for number in range(UTTERANCES):
            feats = (means[random.integers(0, GAUSSIANS, FRAMES)] + random.normal(0, 0.8, (FRAMES, DIM))).astype("f4")
            scores = mixture.gaussian_log_likelihoods(feats, slice(None)).T
            selected = np.argsort(-scores, axis=1)[:, :SELECTED].astype(np.int32)
            key = f"utt{number:04}"
            feats_out.write(key, feats)
            posteriors_out.write(key, best_posteriors(scores, 5, 0.025)[0])
            selections_out.write(key, RaggedIntegers(np.arange(FRAMES + 1) * SELECTED, selected.ravel()))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        make_inputs(Path(name))
        one = f"ark:{name}/feats.ark"
        extract = f"{name}/ie {one} ark,s,cs:{name}/post.ark"
        compare(
            "training of extractors",
            {
                "est-pca": f"{{0}}est-pca --dim=30 {one} {name}/mat",
                "gmm-global-init-from-feats, 2 iterations": "{0}gmm-global-init-from-feats --num-threads=1 "
                f"--num-iters=2 --num-gauss={GAUSSIANS} --num-frames=30000 {one} {name}/0.dubm",
                "gmm-global-acc-stats": f"{{0}}gmm-global-acc-stats {name}/dubm {one} {name}/acc",
                "gmm-global-acc-stats --gselect": "{0}gmm-global-acc-stats "
                f"--gselect=ark,s,cs:{name}/gselect.ark {name}/dubm {one} {name}/acc",
                "gmm-global-get-post": f"{{0}}gmm-global-get-post --n=5 --min-post=0.025 {name}/dubm {one} "
                f"ark:{name}/p",
                "fgmm-global-acc-stats --gselect": "{0}fgmm-global-acc-stats "
                f"--gselect=ark,s,cs:{name}/gselect.ark {name}/ubm {one} {name}/facc",
                "ivector-extractor-acc-stats": f"{{0}}ivector-extractor-acc-stats {extract} {name}/iacc",
                "ivector-extractor-est": f"{{0}}ivector-extractor-est --num-threads=1 {name}/ie {name}/iacc "
                f"{name}/1.ie",
                "ivector-extract": f"{{0}}ivector-extract {extract} ark:{name}/ivectors.ark",
            },
            "ivector-extractor-acc-stats",
        )


if __name__ == "__main__":
    main()
