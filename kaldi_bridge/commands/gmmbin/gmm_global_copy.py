"""nnet-pytorch-gmm-global-copy: twin of gmm-global-copy."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.mixture_files import read_mixture, write_mixture
from kaldi_bridge.options import OutputOptions

USAGE = """Copy one mixture of Gaussians with diagonal covariances, into text perhaps.
Usage: nnet-pytorch-gmm-global-copy [options] <model-in> <model-out>
e.g.: nnet-pytorch-gmm-global-copy --binary=false 1.dubm -"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-global-copy."""


def gmm_global_copy(options: Options, model_in: str, model_out: str) -> None:
    write_mixture(model_out, read_mixture(model_in), options.binary)
    log.info(f"Written model to {model_out}")


main = command(gmm_global_copy, usage=USAGE)

if __name__ == "__main__":
    main()
