"""nnet-pytorch-acc-lda: twin of acc-lda."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.gmm.posterior_input import PosteriorOptions, transition_posteriors
from kaldi_bridge.hmm.posterior import randomly_pruned, to_pdfs
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.lda_statistics import LdaStatistics

USAGE = """Accumulate LDA statistics, with pdfs as classes.
Usage: nnet-pytorch-acc-lda [options] <transition-gmm/model> <features-rspecifier> <posteriors-rspecifier>
 <lda-acc-out>
e.g.: ali-to-post ark:1.ali ark:- | nnet-pytorch-acc-lda 1.mdl 'ark:splice-feats scp:train.scp ark:-|' ark:- 1.acc"""


@dataclass
class Options(PosteriorOptions, FrontEndOptions, OutputOptions):
    """Options of acc-lda."""

    rand_prune: float = option(0.0, "Randomized pruning threshold for posteriors")


def acc_lda(options: Options, model_in: str, feats: str, posteriors_in: str, statistics_out: str) -> int:
    model, random = read_transition_model(model_in), CRandom(1)
    statistics: LdaStatistics | None = None
    mismatched = 0
    with transition_posteriors(posteriors_in, options, model) as posteriors:
        for utterance, matrix in processed(options, feats):
            posterior = posteriors.of(utterance, len(matrix))
            if posterior is None:
                continue
            if statistics is None:
                statistics = LdaStatistics(model.num_pdfs, matrix.shape[1])
            if matrix.shape[1] != statistics.sums.shape[1]:
                expected = statistics.sums.shape[1]
                log.warning(f"Utterance {utterance}: Feature dimension mismatch {expected} vs. {matrix.shape[1]}")
                mismatched += 1
                continue
            with within(f"utterance {utterance}"):
                pdfs = to_pdfs(model, posterior)
            weights = randomly_pruned(pdfs.weights, options.rand_prune, random)
            kept = weights != 0
            statistics.accumulate(matrix, pdfs.frames[kept], pdfs.indexes[kept], weights[kept])
    done = posteriors.done - mismatched
    log.info(f"Done {done} files, failed for {posteriors.missing + posteriors.errors + mismatched}")
    with open_output(statistics_out) as stream:
        write_header(stream, options.binary)
        (statistics or LdaStatistics(0, 0)).write(stream, options.binary)
    log.info("Written statistics.")
    return 0 if done else 1


main = command(acc_lda, usage=USAGE)

if __name__ == "__main__":
    main()
