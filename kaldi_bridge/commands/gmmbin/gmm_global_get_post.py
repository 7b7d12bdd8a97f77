"""nnet-pytorch-gmm-global-get-post: twin of gmm-global-get-post."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.gmm.mixture_files import read_mixture
from kaldi_bridge.gmm.pruned_posteriors import best_posteriors
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Tell for each frame to which Gaussians of one mixture it belongs, and how much: the best few, pruned.
Usage: nnet-pytorch-gmm-global-get-post [options] <model-in> <feature-rspecifier> <post-wspecifier>
e.g.: nnet-pytorch-gmm-global-get-post --n=20 1.dubm scp:feats.scp "ark:|gzip -c >post.1.gz\""""


@dataclass
class Options:
    """Options of gmm-global-get-post."""

    n: int = option(50, "Number of Gaussians to keep per frame")
    min_post: float = option(0.0, "Minimum posterior that is kept (e.g. 0.01), before those kept are made to sum to 1")


def gmm_global_get_post(options: Options, model_in: str, feature_rspecifier: str, post_wspecifier: str) -> int:
    if options.n <= 0 or not 0 <= options.min_post < 1:
        raise KaldiError(f"--n={options.n} must be positive, --min-post={options.min_post:g} at least 0 and below 1")
    mixture = read_mixture(model_in)
    if options.n > mixture.num_gaussians:
        log.warning(
            f"You asked for {options.n} Gaussians but GMM only has {mixture.num_gaussians}, returning this many. "
        )
    loop, total, frames = TableLoop(), 0.0, 0
    with (
        SequentialReader(feature_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(post_wspecifier, SPARSE_POSTERIOR) as writer,
    ):
        for key, feats in reader:
            with loop.entry(key):
                if not len(feats):
                    raise EntryError(f"Empty features for utterance {key}")
                if feats.shape[1] != mixture.dim:
                    raise EntryError(
                        f"Dimension mismatch for utterance {key}: got {feats.shape[1]}, expected {mixture.dim}"
                    )
                scores = mixture.gaussian_log_likelihoods(feats, slice(None)).T
                posterior, likelihoods = best_posteriors(scores, options.n, np.float32(options.min_post))
                average = likelihoods.mean(dtype=np.float64)
                log.vlog(1, f"Processed utterance {key}, average likelihood {average:g} over {len(feats)} frames")
                writer.write(key, posterior)
                total += float(likelihoods.sum(dtype=np.float64))
                frames += len(feats)
    average = total / frames if frames else float("nan")
    log.info(
        f"Done {loop.done} files, {loop.failed} with errors, average UBM log-likelihood is {average:g} over "
        f"{frames} frames."
    )
    return loop.status


main = command(gmm_global_get_post, usage=USAGE)

if __name__ == "__main__":
    main()
