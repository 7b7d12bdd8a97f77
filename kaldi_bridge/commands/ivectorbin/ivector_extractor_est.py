"""nnet-pytorch-ivector-extractor-est: twin of ivector-extractor-est."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, without_effect
from kaldi_bridge.ivectors.model import read_model, write_model
from kaldi_bridge.ivectors.reestimation import ReestimationOptions, explained_variance, reestimate
from kaldi_bridge.ivectors.training_statistics import read_statistics
from kaldi_bridge.options import OutputOptions

USAGE = """Re-estimate an i-vector extractor: the update of one pass of expectation maximization.
Usage: nnet-pytorch-ivector-extractor-est [options] <model-in> <stats-in> <model-out>
e.g.: nnet-pytorch-ivector-extractor-est 2.ie 2.acc 3.ie"""


@dataclass
class Options(ReestimationOptions, OutputOptions):
    """Options of ivector-extractor-est."""

    num_threads: int = without_effect(8, "Updates are matrix products, which take the threads that numpy has")


def ivector_extractor_est(options: Options, model_in: str, stats_in: str, model_out: str) -> None:
    log.info("Reading model")
    model = read_model(model_in)
    log.info("Reading statistics")
    statistics = read_statistics(stats_in)
    updated = reestimate(model, statistics, options)
    write_model(model_out, updated, options.binary)
    explained = explained_variance(updated, statistics.gamma)
    log.info(f"The proportion of within-Gaussian variance explained by the iVectors is {explained:g}.")
    log.info(f"Updated model and wrote it to {model_out}")


main = command(ivector_extractor_est, usage=USAGE)

if __name__ == "__main__":
    main()
