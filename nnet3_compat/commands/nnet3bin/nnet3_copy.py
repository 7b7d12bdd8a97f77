"""nnet-pytorch-copy: twin of nnet3-copy."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from nnet3_compat.model import changes
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.model.whole_network import set_test_mode

USAGE = """Copy a raw neural network, possibly changing it; also out of a .mdl.
Usage: nnet-pytorch-copy [options] <nnet-in> <nnet-out>
e.g.: nnet-pytorch-copy --binary=false 0.raw text.raw"""


@dataclass
class Options(changes.ChangeOptions):
    """Options of nnet3-copy."""

    batchnorm_test_mode: bool = option(False, "Test mode of batch-norm components, unless --prepare-for-test sets it")


def copy(options: Options, nnet_in: str, nnet_out: str) -> int:
    nnet = read_nnet(nnet_in)
    changes.apply_config(nnet, options)
    changes.apply_learning_rates(nnet, options)
    changes.apply_scale(nnet, options)
    changes.apply_edits(nnet, options)
    if options.prepare_for_test:
        changes.apply_test_mode(nnet, options)
    else:
        set_test_mode(nnet, batchnorm=options.batchnorm_test_mode)
    write_model(nnet_out, nnet, options.binary)
    log.info(f"Copied raw neural net from {nnet_in} to {nnet_out}")
    return 0


main = command(copy, usage=USAGE)

if __name__ == "__main__":
    main()
