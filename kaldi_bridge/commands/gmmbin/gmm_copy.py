"""nnet-pytorch-gmm-copy: twin of gmm-copy."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.options import OutputOptions

USAGE = """Copy a GMM-based model, or one of its parts, possibly between binary and text.
Usage: nnet-pytorch-gmm-copy [options] <model-in> <model-out>
e.g.: nnet-pytorch-gmm-copy --binary=false 1.mdl 1_txt.mdl"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-copy."""

    copy_am: bool = option(True, "Copy the mixtures; false where the input has a transition model alone")
    copy_tm: bool = option(True, "Copy the transition model; false where the input has mixtures alone")


def gmm_copy(options: Options, model_in: str, model_out: str) -> None:
    parts: list[TransitionModel | Mixtures] = []
    with open_input(model_in) as stream:
        binary = read_header(stream)
        if options.copy_tm:
            parts.append(TransitionModel.read(stream, binary))
        if options.copy_am:
            parts.append(Mixtures.read(stream, binary))
    with open_output(model_out) as out:
        write_header(out, options.binary)
        for part in parts:
            part.write(out, options.binary)
    log.info(f"Written model to {model_out}")


main = command(gmm_copy, usage=USAGE)

if __name__ == "__main__":
    main()
