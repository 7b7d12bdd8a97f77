"""nnet-pytorch-fgmm-global-info: twin of fgmm-global-info."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.gmm.full_model import read_full_mixture

USAGE = """Write properties of one mixture of Gaussians with full covariances to standard output.
Usage: nnet-pytorch-fgmm-global-info [options] <model-in>
e.g.: nnet-pytorch-fgmm-global-info 1.ubm"""


@dataclass
class Options:
    """No options of its own."""


def fgmm_global_info(options: Options, model_in: str) -> None:
    mixture = read_full_mixture(model_in)
    write_stdout(f"number of gaussians {mixture.num_gaussians}\nfeature dimension {mixture.dim}\n")


main = command(fgmm_global_info, usage=USAGE)

if __name__ == "__main__":
    main()
