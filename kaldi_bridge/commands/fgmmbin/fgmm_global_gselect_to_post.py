"""nnet-pytorch-fgmm-global-gselect-to-post: twin of fgmm-global-gselect-to-post."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.frame_choices import FrameChoices
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.gmm.full_statistics import full_posteriors
from kaldi_bridge.gmm.selection import without_small
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Posteriors of selected Gaussians of one mixture with full covariances.
Usage: nnet-pytorch-fgmm-global-gselect-to-post [options] <model-in> <feature-rspecifier> <gselect-rspecifier>
 <post-wspecifier>
e.g.: nnet-pytorch-fgmm-global-gselect-to-post 1.ubm "$feats" "ark:gunzip -c gselect.1.gz|" ark:-"""


@dataclass
class Options:
    """Options of fgmm-global-gselect-to-post."""

    min_post: float = option(0.0, "Posteriors below this are left out, and the others made to sum to one")


def fgmm_global_gselect_to_post(
    options: Options, model_in: str, feature_rspecifier: str, gselect: str, post_wspecifier: str
) -> int:
    if not 0 <= options.min_post < 1:
        raise KaldiError(f"--min-post={options.min_post:g} must be at least 0 and below 1")
    mixture = read_full_mixture(model_in)
    loop, total, frames, pairs = TableLoop(), 0.0, 0, 0
    with (
        SequentialReader(feature_rspecifier, FLOAT_MATRIX) as reader,
        FrameChoices(gselect, "", mixture.num_gaussians) as choices,
        TableWriter(post_wspecifier, SPARSE_POSTERIOR) as writer,
    ):
        for key, feats in reader:
            with loop.entry(key):
                selection, _ = choices.of(key, len(feats))
                posterior, likelihoods = full_posteriors(mixture, feats, selection)
                posterior = without_small(posterior, options.min_post)
                writer.write(key, posterior)
                total += float(likelihoods.sum(dtype=np.float64))
                frames, pairs = frames + len(feats), pairs + len(posterior.indexes)
    log.info(f"Done {loop.done} files; {loop.failed} had errors.")
    log.info(
        f"Overall loglike per frame is {total / frames if frames else float('nan'):g} with "
        f"{pairs / frames if frames else float('nan'):g} entries per frame,  over {frames} frames"
    )
    return loop.status


main = command(fgmm_global_gselect_to_post, usage=USAGE)

if __name__ == "__main__":
    main()
