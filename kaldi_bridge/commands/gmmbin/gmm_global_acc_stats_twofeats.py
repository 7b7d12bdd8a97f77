"""nnet-pytorch-gmm-global-acc-stats-twofeats: twin of gmm-global-acc-stats-twofeats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.gmm.frame_choices import FrameChoices
from kaldi_bridge.gmm.global_statistics import GlobalStatistics, flags_of, write_statistics
from kaldi_bridge.gmm.mixture_files import read_mixture
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Accumulate statistics of the second features for training one mixture of Gaussians, with posteriors computed
on the first, whose dimension is the model's.
Usage: nnet-pytorch-gmm-global-acc-stats-twofeats [options] <model-in> <feature1-rspecifier> <feature2-rspecifier>
 <stats-out>
e.g.: nnet-pytorch-gmm-global-acc-stats-twofeats 1.dubm scp:train.scp scp:train2.scp 1.acc"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-global-acc-stats-twofeats."""

    update_flags: str = option("mvw", "Which GMM parameters will be updated: subset of mvw.")
    gselect: str = option("", "Rspecifier of which Gaussians each frame may belong to (gmm-gselect)")
    weights: str = option("", "Rspecifier of a vector for each utterance: the weights of its frames")


def gmm_global_acc_stats_twofeats(options: Options, model_in: str, feats1: str, feats2: str, stats_out: str) -> int:
    flags = flags_of(options.update_flags)
    mixture = read_mixture(model_in)
    statistics: GlobalStatistics | None = None
    loop = TableLoop()
    with (
        SequentialReader(feats1, FLOAT_MATRIX) as reader,
        RandomAccessReader(feats2, FLOAT_MATRIX) as second,
        FrameChoices(options.gselect, options.weights, mixture.num_gaussians) as choices,
    ):
        for key, feats in reader:
            with loop.entry(key):
                if key not in second:
                    raise EntryError(f"For utterance {key}, second features not present.")
                selection, weights = choices.of(key, len(feats))
                others = second[key]
                if statistics is None:
                    statistics = GlobalStatistics(mixture.num_gaussians, others.shape[1], flags)
                likelihood, count = statistics.accumulate(mixture, feats, weights, selection, others)
                average = likelihood / count if count else float("nan")
                log.vlog(2, f"File '{key}': Average likelihood = {average:g} over {count:g} frames.")
    log.info(f"Done {loop.done} files; {loop.failed} with errors.")
    statistics = statistics or GlobalStatistics(mixture.num_gaussians, mixture.dim, flags)
    average = statistics.log_likelihood / statistics.frames if statistics.frames else float("nan")
    log.info(f"Overall likelihood per frame = {average:g} over {statistics.frames:g} (weighted) frames.")
    write_statistics(stats_out, statistics, options.binary)
    log.info(f"Written accs to {stats_out}")
    return loop.status


main = command(gmm_global_acc_stats_twofeats, usage=USAGE)

if __name__ == "__main__":
    main()
