"""nnet-pytorch-gmm-acc-stats-twofeats: twin of gmm-acc-stats-twofeats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.features.front_end import FrontEnd, FrontEndOptions, processed
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.posterior_input import PosteriorOptions, transition_posteriors
from kaldi_bridge.gmm.statistics import Accumulator, write_statistics
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Accumulate statistics for GMM training of the second features, with posteriors computed on the first.
Usage: nnet-pytorch-gmm-acc-stats-twofeats [options] <model-in> <feature1-rspecifier> <feature2-rspecifier>
 <posteriors-rspecifier> <stats-out>
e.g.: nnet-pytorch-gmm-acc-stats-twofeats 1.mdl scp:train.scp scp:train_new.scp ark:1.post 1.acc"""


@dataclass
class Options(PosteriorOptions, FrontEndOptions, OutputOptions):
    """Options of gmm-acc-stats-twofeats."""

    speaker_transforms: str = option(
        "", "Then transform the first features, not the second, by the matrix of the speaker in this rspecifier"
    )


def gmm_acc_stats_twofeats(
    options: Options, model_in: str, feats1: str, feats2: str, posteriors_in: str, statistics_out: str
) -> int:
    model = AcousticModel.read(model_in)
    accumulator: Accumulator | None = None
    without_second = 0
    with (
        RandomAccessReader(feats2, FLOAT_MATRIX) as second,
        FrontEnd(options) as front_end,
        transition_posteriors(posteriors_in, options, model.transitions) as posteriors,
    ):
        for utterance, matrix in processed(options, feats1):
            if utterance not in second:
                log.warning(f"For utterance {utterance}, second features not present.")
                without_second += 1
                continue
            posterior = posteriors.of(utterance, len(matrix))
            if posterior is None:
                continue
            other = front_end(utterance, second[utterance], adapted=False)
            if accumulator is None:
                accumulator = Accumulator(model, dim=other.shape[1])
            with within(f"utterance {utterance}"):
                accumulator.add_posterior(matrix, posterior, other)
    log.info(
        f"Done {posteriors.done} files, {posteriors.missing} with no posteriors, {without_second} with no second "
        f"features, {posteriors.errors} with other errors."
    )
    if accumulator is None:
        log.error("no utterance has both features and posteriors: no statistics to write")
        return 1
    statistics = accumulator.result()
    average = statistics.log_likelihood / statistics.frames if statistics.frames else float("nan")
    log.info(f"Overall avg like per frame (Gaussian only) = {average:g} over {statistics.frames:g} frames.")
    write_statistics(statistics_out, statistics, options.binary)
    log.info("Written accs.")
    return 0


main = command(gmm_acc_stats_twofeats, usage=USAGE)

if __name__ == "__main__":
    main()
