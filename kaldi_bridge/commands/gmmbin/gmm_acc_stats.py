"""nnet-pytorch-gmm-acc-stats: twin of gmm-acc-stats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.statistics import Accumulator, flags_of, write_statistics
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR
from kaldi_bridge.tables.utterances import Posteriors

USAGE = """Accumulate statistics for GMM training, from posteriors.
Usage: nnet-pytorch-gmm-acc-stats [options] <model-in> <feature-rspecifier> <posteriors-rspecifier> <stats-out>
e.g.: nnet-pytorch-gmm-acc-stats 1.mdl scp:train.scp ark:1.post 1.acc"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-acc-stats."""

    update_flags: str = option("mvwt", "Which GMM parameters will be updated: subset of mvwt.")


def gmm_acc_stats(options: Options, model_in: str, feats: str, posteriors_in: str, statistics_out: str) -> int:
    accumulator = Accumulator(AcousticModel.read(model_in), flags=flags_of(options.update_flags))
    with (
        SequentialReader(feats, FLOAT_MATRIX) as reader,
        Posteriors(posteriors_in, SPARSE_POSTERIOR) as posteriors,
    ):
        for utterance, matrix in reader:
            posterior = posteriors.of(utterance, len(matrix))
            if posterior is not None:
                with within(f"utterance {utterance}"):
                    accumulator.add_posterior(matrix, posterior)
    statistics = accumulator.result()
    log.info(f"Done {posteriors.done} files, {posteriors.missing + posteriors.errors} with errors.")
    average = statistics.log_likelihood / statistics.frames if statistics.frames else float("nan")
    log.info(f"Overall avg like per frame (Gaussian only) = {average:g} over {statistics.frames:g} frames.")
    write_statistics(statistics_out, statistics, options.binary)
    log.info("Written accs.")
    return 0 if posteriors.done else 1


main = command(gmm_acc_stats, usage=USAGE)

if __name__ == "__main__":
    main()
