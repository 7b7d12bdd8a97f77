"""nnet-pytorch-gmm-global-info: twin of gmm-global-info."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.gmm.mixture_files import read_mixture

USAGE = """Write properties of one mixture of Gaussians with diagonal covariances to standard output.
Usage: nnet-pytorch-gmm-global-info [options] <model-in>
e.g.: nnet-pytorch-gmm-global-info 1.dubm"""


@dataclass
class Options:
    """No options of its own."""


def gmm_global_info(options: Options, model_in: str) -> None:
    mixture = read_mixture(model_in)
    write_stdout(f"number of gaussians {mixture.num_gaussians}\nfeature dimension {mixture.dim}\n")


main = command(gmm_global_info, usage=USAGE)

if __name__ == "__main__":
    main()
