"""nnet-pytorch-fgmm-global-acc-stats: twin of fgmm-global-acc-stats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.frame_choices import FrameChoices
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.gmm.full_statistics import FullAccumulator, write_full_statistics
from kaldi_bridge.gmm.global_statistics import flags_of
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Accumulate statistics for training one mixture of Gaussians with full covariances.
Usage: nnet-pytorch-fgmm-global-acc-stats [options] <model-in> <feature-rspecifier> <stats-out>
e.g.: nnet-pytorch-fgmm-global-acc-stats 1.ubm scp:train.scp 1.acc"""


@dataclass
class Options(OutputOptions):
    """Options of fgmm-global-acc-stats."""

    update_flags: str = option("mvw", "Which GMM parameters will be updated: subset of mvw.")
    gselect: str = option("", "Rspecifier of which Gaussians each frame may belong to (gmm-gselect)")
    weights: str = option("", "Rspecifier of a vector for each utterance: the weights of its frames")


def fgmm_global_acc_stats(options: Options, model_in: str, feature_rspecifier: str, stats_out: str) -> int:
    mixture = read_full_mixture(model_in)
    accumulator, loop = FullAccumulator(mixture, flags_of(options.update_flags)), TableLoop()
    with (
        SequentialReader(feature_rspecifier, FLOAT_MATRIX) as reader,
        FrameChoices(options.gselect, options.weights, mixture.num_gaussians) as choices,
    ):
        for key, feats in reader:
            with loop.entry(key):
                accumulator.add(feats, *choices.of(key, len(feats)))
    statistics, total, count = accumulator.result(), accumulator.log_likelihood, accumulator.frames
    log.info(f"Done {loop.done} files; {loop.failed} with errors.")
    average = total / count if count else float("nan")
    log.info(f"Overall likelihood per frame = {average:g} over {count:g} (weighted) frames.")
    write_full_statistics(stats_out, statistics, options.binary)
    log.info(f"Written accs to {stats_out}")
    return loop.status


main = command(fgmm_global_acc_stats, usage=USAGE)

if __name__ == "__main__":
    main()
