"""nnet-pytorch-gmm-acc-mllt: twin of gmm-acc-mllt."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.gaussian_posteriors import gaussian_posteriors
from kaldi_bridge.gmm.posterior_input import PosteriorOptions, transition_posteriors
from kaldi_bridge.gmm.transform_statistics import add_to_mllt
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.mllt import MlltStatistics

USAGE = """Accumulate MLLT (global STC) statistics.
Usage: nnet-pytorch-gmm-acc-mllt [options] <model-in> <feature-rspecifier> <posteriors-rspecifier> <stats-out>
e.g.: nnet-pytorch-gmm-acc-mllt 1.mdl scp:train.scp ark:1.post 1.macc"""


@dataclass
class Options(PosteriorOptions, FrontEndOptions, OutputOptions):
    """Options of gmm-acc-mllt."""

    rand_prune: float = option(0.25, "Randomized pruning of posteriors below this, for speed; may exceed one.")


def gmm_acc_mllt(options: Options, model_in: str, feats: str, posteriors_in: str, statistics_out: str) -> int:
    model, random = AcousticModel.read(model_in), CRandom(1)
    statistics = MlltStatistics(model.mixtures.dim)
    log_likelihood = weight = 0.0
    with transition_posteriors(posteriors_in, options, model.transitions) as posteriors:
        for utterance, matrix in processed(options, feats):
            posterior = posteriors.of(utterance, len(matrix))
            if posterior is None:
                continue
            with within(f"utterance {utterance}"):
                shares = gaussian_posteriors(model, matrix, posterior)
            add_to_mllt(statistics, model.mixtures, matrix, shares, options.rand_prune, random)
            log_likelihood += shares.log_likelihood
            weight += shares.weight
    log.info(
        f"Done {posteriors.done} files, {posteriors.missing} with no posteriors, {posteriors.errors} with other errors."
    )
    average = log_likelihood / weight if weight else float("nan")
    log.info(f"Overall avg like per frame (Gaussian only) = {average:g} over {weight:g} frames.")
    with open_output(statistics_out) as stream:
        write_header(stream, options.binary)
        statistics.write(stream, options.binary)
    log.info("Written accs.")
    return 0 if posteriors.done else 1


main = command(gmm_acc_mllt, usage=USAGE)

if __name__ == "__main__":
    main()
