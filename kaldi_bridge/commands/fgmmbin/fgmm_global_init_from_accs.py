"""nnet-pytorch-fgmm-global-init-from-accs: twin of fgmm-global-init-from-accs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.full_estimation import FullEstimationOptions, mixture_of_statistics
from kaldi_bridge.gmm.full_model import write_full_mixture
from kaldi_bridge.gmm.full_statistics import read_full_statistics
from kaldi_bridge.io.text import is_number
from kaldi_bridge.options import OutputOptions

USAGE = """Make one mixture of Gaussians with full covariances of statistics, without a model to begin with.
Usage: nnet-pytorch-fgmm-global-init-from-accs [options] <stats-in> <number-of-gaussians> <model-out>
e.g.: nnet-pytorch-fgmm-global-init-from-accs 1.acc 2048 1.ubm"""


@dataclass
class Options(OutputOptions, FullEstimationOptions):
    """Options of fgmm-global-init-from-accs."""


def fgmm_global_init_from_accs(options: Options, stats_in: str, num_gauss: str, model_out: str) -> None:
    if not is_number(num_gauss):
        raise KaldiError(f"{num_gauss} is no number of Gaussians")
    mixture = mixture_of_statistics(read_full_statistics(stats_in), int(num_gauss), options)
    write_full_mixture(model_out, mixture, options.binary)
    log.info(f"Written model to {model_out}")


main = command(fgmm_global_init_from_accs, usage=USAGE)

if __name__ == "__main__":
    main()
