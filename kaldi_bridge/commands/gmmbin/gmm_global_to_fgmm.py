"""nnet-pytorch-gmm-global-to-fgmm: twin of gmm-global-to-fgmm."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.full_model import FullMixture, write_full_mixture
from kaldi_bridge.gmm.mixture_files import read_mixture
from kaldi_bridge.options import OutputOptions

USAGE = """Convert one mixture of Gaussians with diagonal covariances to one with full covariances.
Usage: nnet-pytorch-gmm-global-to-fgmm [options] <model-in> <full-model-out>
e.g.: nnet-pytorch-gmm-global-to-fgmm final.dubm final.ubm"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-global-to-fgmm."""


def gmm_global_to_fgmm(options: Options, model_in: str, full_model_out: str) -> None:
    write_full_mixture(full_model_out, FullMixture.of_diagonal(read_mixture(model_in)), options.binary)
    log.info(f"Written full GMM to {full_model_out}")


main = command(gmm_global_to_fgmm, usage=USAGE)

if __name__ == "__main__":
    main()
