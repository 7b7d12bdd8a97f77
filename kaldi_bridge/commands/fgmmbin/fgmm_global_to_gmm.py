"""nnet-pytorch-fgmm-global-to-gmm: twin of fgmm-global-to-gmm."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.gmm.mixture_files import write_mixture
from kaldi_bridge.options import OutputOptions

USAGE = """Convert one mixture of Gaussians with full covariances to one with their diagonals.
Usage: nnet-pytorch-fgmm-global-to-gmm [options] <full-model-in> <model-out>
e.g.: nnet-pytorch-fgmm-global-to-gmm final.ubm final.dubm"""


@dataclass
class Options(OutputOptions):
    """Options of fgmm-global-to-gmm."""


def fgmm_global_to_gmm(options: Options, full_model_in: str, model_out: str) -> None:
    write_mixture(model_out, read_full_mixture(full_model_in).to_diagonal(), options.binary)
    log.info(f"Written diagonal GMM to {model_out}")


main = command(fgmm_global_to_gmm, usage=USAGE)

if __name__ == "__main__":
    main()
