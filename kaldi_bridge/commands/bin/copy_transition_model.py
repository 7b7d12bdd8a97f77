"""nnet-pytorch-copy-transition-model: twin of copy-transition-model."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions

USAGE = """Copy the transition model that a model starts with.
Usage: nnet-pytorch-copy-transition-model [options] <model-in> <transition-model-out>
e.g.: nnet-pytorch-copy-transition-model --binary=false 1.mdl 1.txt"""


@dataclass
class Options(OutputOptions):
    """Options of copy-transition-model."""


def copy_transition_model(options: Options, model_in: str, transition_model_out: str) -> int:
    model = read_transition_model(model_in)
    with open_output(transition_model_out) as stream:
        write_header(stream, options.binary)
        model.write(stream, options.binary)
    log.info("Copied transition model.")
    return 0


main = command(copy_transition_model, usage=USAGE)

if __name__ == "__main__":
    main()
