"""nnet-pytorch-gmm-global-est: twin of gmm-global-est."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.estimation import EstimationOptions, maximize
from kaldi_bridge.gmm.global_statistics import check_flags, read_statistics
from kaldi_bridge.gmm.mixture_files import read_mixture, write_mixture
from kaldi_bridge.gmm.splitting import split
from kaldi_bridge.options import OutputOptions

USAGE = """Estimate one mixture of Gaussians with diagonal covariances from statistics.
Usage: nnet-pytorch-gmm-global-est [options] <model-in> <stats-in> <model-out>
e.g.: nnet-pytorch-gmm-global-est 1.dubm 1.acc 2.dubm"""


@dataclass
class Options(EstimationOptions, OutputOptions):
    """Options of gmm-global-est."""

    update_flags: str = option("mvw", "Which GMM parameters will be updated: subset of mvw.")
    mix_up: int = option(0, "Increase number of mixture components to this overall target.")
    perturb_factor: float = option(0.01, "While mixing up, perturb means by standard deviation times this factor.")


def gmm_global_est(options: Options, model_in: str, stats_in: str, model_out: str) -> None:
    mixture, statistics = read_mixture(model_in), read_statistics(stats_in)
    check_flags(options.update_flags, statistics.flags)
    result = maximize(mixture, statistics, options, options.update_flags)
    result.warn(statistics.occupancy, options.remove_low_count_gaussians)
    average = result.gain / result.count if result.count else float("nan")
    log.info(f"Overall objective function improvement is {average:g} per frame over {result.count:g} frames.")
    mixture = result.mixtures
    if options.mix_up:
        mixture = split(mixture, options.mix_up, options.perturb_factor, CRandom(1))
    write_mixture(model_out, mixture, options.binary)
    log.info(f"Written model to {model_out}")


main = command(gmm_global_est, usage=USAGE)

if __name__ == "__main__":
    main()
