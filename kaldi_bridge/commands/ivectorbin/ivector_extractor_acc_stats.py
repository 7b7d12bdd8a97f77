"""nnet-pytorch-ivector-extractor-acc-stats: twin of ivector-extractor-acc-stats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.ivectors.accumulation import Accumulator
from kaldi_bridge.ivectors.model import read_model
from kaldi_bridge.ivectors.training_statistics import write_statistics
from kaldi_bridge.ivectors.whole_utterances import checked_posterior
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Accumulate statistics for training an i-vector extractor, of features and posteriors of Gaussians.
Usage: nnet-pytorch-ivector-extractor-acc-stats [options] <model-in> <feature-rspecifier> <posteriors-rspecifier>
 <stats-out>
e.g.: nnet-pytorch-ivector-extractor-acc-stats 2.ie "$feats" "ark,s,cs:gunzip -c post.1.gz|" 2.1.acc"""


@dataclass
class Options(OutputOptions):
    """Options of ivector-extractor-acc-stats."""

    update_variances: bool = option(True, "If true, update the Gaussian variances")
    compute_auxf: bool = option(True, "If true, compute the objective function, to see whether training converges")
    num_samples_for_weights: int = option(
        10, "Samples of each i-vector from which the weights' statistics are made. Must be >1"
    )
    cache_size: int = without_effect(100, "How many utterances are summed at once follows from the extractor's size")
    num_threads: int = without_effect(1, "Sums are matrix products, which take the threads that numpy has")
    num_threads_total: int = without_effect(0, "As --num-threads")


def ivector_extractor_acc_stats(
    options: Options, model_in: str, feature_rspecifier: str, posteriors_rspecifier: str, stats_out: str
) -> int:
    loop, frames = TableLoop(), 0
    with (
        SequentialReader(feature_rspecifier, FLOAT_MATRIX) as reader,
        RandomAccessReader(posteriors_rspecifier, SPARSE_POSTERIOR) as posteriors,
    ):
        model = read_model(model_in)
        accumulator = Accumulator(
            model, options.update_variances, options.compute_auxf, options.num_samples_for_weights
        )
        for key, feats in reader:
            with loop.entry(key):
                accumulator.add(feats, checked_posterior(posteriors, key, len(feats)))
                frames += len(feats)
        statistics = accumulator.result()
    log.info(f"Done {loop.done} files, {loop.failed} with errors.  Total frames {frames}")
    write_statistics(stats_out, statistics, options.binary)
    log.info(f"Wrote stats to {stats_out}")
    return loop.status


main = command(ivector_extractor_acc_stats, usage=USAGE)

if __name__ == "__main__":
    main()
