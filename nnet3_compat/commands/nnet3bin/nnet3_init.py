"""nnet-pytorch-init: twin of nnet3-init."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.options import OutputOptions
from nnet3_compat.components import set_seed
from nnet3_compat.model.changes import read_lines
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.structure.nnet import Nnet

USAGE = """Make a neural network from a config file, with random parameters,
or add to, and replace parts of, one that exists.
Usage: nnet-pytorch-init [options] [<existing-nnet-in>] <config-in> <nnet-out>
e.g.: nnet-pytorch-init nnet.config 0.raw
or:   nnet-pytorch-init 1.raw nnet.config 2.raw"""


@dataclass
class Options(OutputOptions):
    """Options of nnet3-init."""

    srand: int = option(0, "Seed for the random parameters")


def init(options: Options, first: str, second: str, third: str | None = None) -> int:
    set_seed(options.srand)
    if third is None:
        nnet, config, nnet_out = Nnet(), first, second
    else:
        nnet, config, nnet_out = read_nnet(first), second, third
        log.info(f"Read raw neural net from {first}")
    lines = read_lines(config)
    with within(config):
        nnet.read_config(lines)
    write_model(nnet_out, nnet, options.binary)
    log.info(f"Initialized raw neural net and wrote it to {nnet_out}")
    return 0


main = command(init, usage=USAGE)

if __name__ == "__main__":
    main()
