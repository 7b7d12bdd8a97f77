"""nnet-pytorch-fgmm-global-est: twin of fgmm-global-est."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.full_estimation import FullEstimationOptions, estimate_full, split_full
from kaldi_bridge.gmm.full_model import read_full_mixture, write_full_mixture
from kaldi_bridge.gmm.full_statistics import read_full_statistics
from kaldi_bridge.options import OutputOptions

USAGE = """Estimate one mixture of Gaussians with full covariances from statistics.
Usage: nnet-pytorch-fgmm-global-est [options] <model-in> <stats-in> <model-out>
e.g.: nnet-pytorch-fgmm-global-est 1.ubm 1.acc 2.ubm"""


@dataclass
class Options(OutputOptions, FullEstimationOptions):
    """Options of fgmm-global-est."""

    update_flags: str = option("mvw", "Which GMM parameters will be updated: subset of mvw.")
    mix_up: int = option(0, "Increase number of mixture components to this overall target.")
    perturb_factor: float = option(0.01, "While mixing up, perturb means by standard deviation times this factor.")


def fgmm_global_est(options: Options, model_in: str, stats_in: str, model_out: str) -> None:
    mixture = read_full_mixture(model_in)
    mixture = estimate_full(mixture, read_full_statistics(stats_in), options, options.update_flags)
    if options.mix_up:
        mixture = split_full(mixture, options.mix_up, options.perturb_factor, CRandom(1))
    write_full_mixture(model_out, mixture, options.binary)
    log.info(f"Written model to {model_out}")


main = command(fgmm_global_est, usage=USAGE)

if __name__ == "__main__":
    main()
