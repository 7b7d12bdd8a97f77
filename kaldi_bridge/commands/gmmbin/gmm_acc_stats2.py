"""nnet-pytorch-gmm-acc-stats2: twin of gmm-acc-stats2."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.statistics import Accumulator, flags_of, write_statistics
from kaldi_bridge.hmm.posterior import scaled
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR
from kaldi_bridge.tables.utterances import Posteriors

USAGE = """Accumulate two sets of statistics for GMM training: of positive posteriors, and of negative ones.
Usage: nnet-pytorch-gmm-acc-stats2 [options] <model> <feature-rspecifier> <posteriors-rspecifier> <num-stats-out>
 <den-stats-out>
e.g.: nnet-pytorch-gmm-acc-stats2 1.mdl scp:train.scp ark:1.post 1.num_acc 1.den_acc"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-acc-stats2."""

    update_flags: str = option("mvwt", "Which GMM parameters to update: subset of mvwt.")


def gmm_acc_stats2(
    options: Options, model_in: str, feats: str, posteriors_in: str, numerator_out: str, denominator_out: str
) -> int:
    model, flags = AcousticModel.read(model_in), flags_of(options.update_flags)
    positive, negative = Accumulator(model, flags=flags), Accumulator(model, flags=flags)
    frames = 0
    with (
        SequentialReader(feats, FLOAT_MATRIX) as reader,
        Posteriors(posteriors_in, SPARSE_POSTERIOR) as posteriors,
    ):
        for utterance, matrix in reader:
            posterior = posteriors.of(utterance, len(matrix))
            if posterior is None:
                continue
            with within(f"utterance {utterance}"):
                positive.add_posterior(matrix, posterior.selected(posterior.weights > 0))
                negative.add_posterior(matrix, scaled(posterior.selected(posterior.weights < 0), -1.0))
            frames += len(matrix)
    numerator, denominator = positive.result(), negative.result()
    log.info(f"Done {posteriors.done} files, {posteriors.missing + posteriors.errors} had errors.")
    log_likelihood = numerator.log_likelihood - denominator.log_likelihood
    weight = numerator.frames - denominator.frames
    log.info(
        f"Overall weighted acoustic likelihood per frame was {log_likelihood / max(frames, 1):g} over {frames} frames; "
        f"average weight per frame was {weight / max(frames, 1):g}"
    )
    write_statistics(numerator_out, numerator, options.binary)
    write_statistics(denominator_out, denominator, options.binary)
    log.info("Written accs.")
    return 0 if posteriors.done else 1


main = command(gmm_acc_stats2, usage=USAGE)

if __name__ == "__main__":
    main()
