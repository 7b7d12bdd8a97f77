"""nnet-pytorch-am-copy: twin of nnet3-am-copy."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from nnet3_compat.model import changes
from nnet3_compat.model.model_file import read_model, read_nnet, write_model
from nnet3_compat.model.whole_network import convert_repeated_to_block

USAGE = """Copy a .mdl, possibly changing its network, or write the network alone.
Usage: nnet-pytorch-am-copy [options] <model-in> <model-out>
e.g.: nnet-pytorch-am-copy --raw=true 1.mdl 1.raw"""


@dataclass
class Options(changes.ChangeOptions):
    """Options of nnet3-am-copy."""

    raw: bool = option(False, "Write only the raw network, without transition model and priors")
    set_raw_nnet: str = option("", "Rxfilename of a raw network that replaces the model's own, before other changes")
    convert_repeated_to_block: bool = option(
        False, "Convert RepeatedAffineComponents and their natural-gradient form to BlockAffineComponents"
    )


def am_copy(options: Options, model_in: str, model_out: str) -> int:
    model = read_model(model_in)
    if options.set_raw_nnet:
        model.set_nnet(read_nnet(options.set_raw_nnet))
    nnet = model.nnet
    changes.apply_config(nnet, options)
    if options.convert_repeated_to_block:
        log.info(f"Converted {convert_repeated_to_block(nnet)} RepeatedAffineComponents to BlockAffineComponents")
    changes.apply_learning_rates(nnet, options)
    changes.apply_edits(nnet, options)
    model.set_nnet(nnet)
    changes.apply_scale(nnet, options)
    changes.apply_test_mode(nnet, options)
    write_model(model_out, nnet if options.raw else model, options.binary)
    if options.raw:
        log.info(f"Copied neural net from {model_in} to raw format as {model_out}")
    else:
        log.info(f"Copied neural net from {model_in} to {model_out}")
    return 0


main = command(am_copy, usage=USAGE)

if __name__ == "__main__":
    main()
