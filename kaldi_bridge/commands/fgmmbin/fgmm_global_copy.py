"""nnet-pytorch-fgmm-global-copy: twin of fgmm-global-copy."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.full_model import read_full_mixture, write_full_mixture
from kaldi_bridge.options import OutputOptions

USAGE = """Copy one mixture of Gaussians with full covariances, into text perhaps.
Usage: nnet-pytorch-fgmm-global-copy [options] <model-in> <model-out>
e.g.: nnet-pytorch-fgmm-global-copy --binary=false 1.ubm -"""


@dataclass
class Options(OutputOptions):
    """Options of fgmm-global-copy."""


def fgmm_global_copy(options: Options, model_in: str, model_out: str) -> None:
    write_full_mixture(model_out, read_full_mixture(model_in), options.binary)
    log.info(f"Written model to {model_out}")


main = command(fgmm_global_copy, usage=USAGE)

if __name__ == "__main__":
    main()
