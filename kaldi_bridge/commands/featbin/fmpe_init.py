"""nnet-pytorch-fmpe-init: twin of fmpe-init."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.fmpe import Fmpe, FmpeOptions
from kaldi_bridge.gmm.mixture_files import read_mixture
from kaldi_bridge.options import OutputOptions

USAGE = """Initialize an fMPE transform, whose offsets are zero.
Usage: nnet-pytorch-fmpe-init [options] <diag-gmm-in> <fmpe-out>
e.g.: nnet-pytorch-fmpe-init 1.ubm 1.fmpe"""


@dataclass
class Options(FmpeOptions, OutputOptions):
    """Options of fmpe-init."""


def fmpe_init(options: Options, mixture_in: str, fmpe_out: str) -> None:
    Fmpe.initial(read_mixture(mixture_in), options).write(fmpe_out, options.binary)
    log.info(f"Initialized fMPE object and wrote to {fmpe_out}")


main = command(fmpe_init, usage=USAGE)

if __name__ == "__main__":
    main()
