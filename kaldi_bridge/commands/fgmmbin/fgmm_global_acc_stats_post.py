"""nnet-pytorch-fgmm-global-acc-stats-post: twin of fgmm-global-acc-stats-post."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.gmm.frame_choices import FrameChoices
from kaldi_bridge.gmm.full_statistics import FullStatistics, write_full_statistics
from kaldi_bridge.gmm.global_statistics import flags_of
from kaldi_bridge.io.text import is_number
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Accumulate statistics of one mixture of Gaussians with full covariances, of posteriors.
Usage: nnet-pytorch-fgmm-global-acc-stats-post [options] <posteriors-rspecifier> <number-of-gaussians>
 <feature-rspecifier> <stats-out>
e.g.: nnet-pytorch-fgmm-global-acc-stats-post scp:post.scp 2048 scp:train.scp 1.acc"""


@dataclass
class Options(OutputOptions):
    """Options of fgmm-global-acc-stats-post."""

    update_flags: str = option("mvw", "Which GMM parameters will be updated: subset of mvw.")
    weights: str = option("", "Rspecifier of a vector for each utterance: the weights of its frames")


def fgmm_global_acc_stats_post(
    options: Options, post_rspecifier: str, num_gauss: str, feature_rspecifier: str, stats_out: str
) -> int:
    if not is_number(num_gauss) or not int(num_gauss):
        raise KaldiError(f"{num_gauss} is no number of Gaussians")
    flags = flags_of(options.update_flags)
    statistics: FullStatistics | None = None
    loop, total, count = TableLoop(), 0.0, 0.0
    with (
        SequentialReader(post_rspecifier, SPARSE_POSTERIOR) as reader,
        RandomAccessReader(feature_rspecifier, FLOAT_MATRIX) as table,
        FrameChoices("", options.weights, int(num_gauss)) as choices,
    ):
        for key, posterior in reader:
            with loop.entry(key):
                feats = table.get(key)
                if feats is None:
                    raise EntryError(f"No features available for utterance {key}")
                _, weights = choices.of(key, len(feats))
                if len(posterior) != len(feats):
                    sizes = f"{len(posterior)} vs. {len(feats)}"
                    raise EntryError(f"posterior information for utterance {key} has wrong size {sizes}")
                own = np.ones(len(feats), np.float32) if weights is None else weights
                posterior.weights *= own[posterior.frames]
                statistics = statistics or FullStatistics(int(num_gauss), feats.shape[1], flags)
                statistics.accumulate(feats, posterior)
                total += float(posterior.weights.sum(dtype=np.float64))
                count += float(own.sum(dtype=np.float64))
    log.info(f"Done {loop.done} files; {loop.failed} with errors.")
    if statistics is None:
        log.warning("No features with posteriors were read, so that there are no statistics to write")
        return loop.status
    log.info(
        f"Overall posterior per frame = {total / count if count else float('nan'):g} over {count:g} (weighted) frames."
    )
    write_full_statistics(stats_out, statistics, options.binary)
    log.info(f"Written accs to {stats_out}")
    return loop.status


main = command(fgmm_global_acc_stats_post, usage=USAGE)

if __name__ == "__main__":
    main()
