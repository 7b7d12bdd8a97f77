"""nnet-pytorch-gmm-post-to-gpost: twin of gmm-post-to-gpost."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.gaussian_posteriors import gaussian_posteriors
from kaldi_bridge.hmm.posterior import randomly_pruned
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, GAUSS_POSTERIOR, SPARSE_POSTERIOR
from kaldi_bridge.tables.utterances import Posteriors

USAGE = """Convert posteriors of transition-ids to posteriors of Gaussians.
Usage: nnet-pytorch-gmm-post-to-gpost [options] <model-in> <feature-rspecifier> <posteriors-rspecifier>
 <gpost-wspecifier>
e.g.: nnet-pytorch-gmm-post-to-gpost 1.mdl scp:train.scp ark:1.post ark:1.gpost"""


@dataclass
class Options:
    """Options of gmm-post-to-gpost."""

    binary: bool = without_effect(True, "The wspecifier says how to write, as in Kaldi's program")
    rand_prune: float = option(0.0, "Randomized pruning of posteriors less than this")


def gmm_post_to_gpost(options: Options, model_in: str, feats: str, posteriors_in: str, gpost_out: str) -> int:
    model, random = AcousticModel.read(model_in), CRandom(1)
    log_likelihood = weight = 0.0
    with (
        SequentialReader(feats, FLOAT_MATRIX) as reader,
        Posteriors(posteriors_in, SPARSE_POSTERIOR) as posteriors,
        TableWriter(gpost_out, GAUSS_POSTERIOR) as writer,
    ):
        for utterance, matrix in reader:
            posterior = posteriors.of(utterance, len(matrix))
            if posterior is None:
                continue
            with within(f"utterance {utterance}"):
                shares = gaussian_posteriors(model, matrix, posterior)
            if options.rand_prune > 0.0:
                shares.posteriors = randomly_pruned(shares.posteriors, options.rand_prune, random)
            writer.write(utterance, shares.to_lists())
            log_likelihood += shares.log_likelihood
            weight += shares.weight
    log.info(
        f"Done {posteriors.done} files, {posteriors.missing} with no posteriors, {posteriors.errors} with other errors."
    )
    average = log_likelihood / weight if weight else float("nan")
    log.info(f"Overall avg like per frame (Gaussian only) = {average:g} over {weight:g} frames.")
    return 0 if posteriors.done else 1


main = command(gmm_post_to_gpost, usage=USAGE)

if __name__ == "__main__":
    main()
