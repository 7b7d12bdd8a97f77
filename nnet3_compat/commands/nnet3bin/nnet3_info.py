"""nnet-pytorch-info: twin of nnet3-info."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from nnet3_compat.model.info import nnet_info
from nnet3_compat.model.model_file import read_nnet

USAGE = """Print what a neural network is made of: contexts, dimensions, nodes, components.
Usage: nnet-pytorch-info [options] <nnet-in>
e.g.: nnet-pytorch-info 0.raw"""


@dataclass
class Options:
    """No options of its own."""


def info(options: Options, nnet_in: str) -> int:
    write_stdout(nnet_info(read_nnet(nnet_in)))
    return 0


main = command(info, usage=USAGE)

if __name__ == "__main__":
    main()
