"""nnet-pytorch-am-info: twin of nnet3-am-info."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from nnet3_compat.model.info import am_info as info_of
from nnet3_compat.model.model_file import read_model

USAGE = """Print what an acoustic model is made of: dimensions, priors, and its network as nnet-pytorch-info does.
Usage: nnet-pytorch-am-info [options] <model-in>
e.g.: nnet-pytorch-am-info final.mdl"""


@dataclass
class Options:
    """No options of its own."""


def am_info(options: Options, model_in: str) -> int:
    write_stdout(info_of(read_model(model_in)))
    return 0


main = command(am_info, usage=USAGE)

if __name__ == "__main__":
    main()
