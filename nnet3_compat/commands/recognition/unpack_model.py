"""nnet-pytorch-unpack-model: a model as it is handed on becomes a directory that training goes on from."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.recognition.unpacking import UnpackOptions, unpack_model

USAGE = """Lay out a model as Kaldi's training scripts keep one: final.mdl, tree, cmvn_opts, frame_subsampling_factor,
how its features are made, and what else comes with it. The model is a folder for Vosk, a directory of Kaldi's (that
training has left, or for online decoding), or a final.mdl in one of these. A missing tree is found in the graph.
Usage: nnet-pytorch-unpack-model [options] <model> <dir>
e.g.: nnet-pytorch-unpack-model vosk-model-small-en-us-0.15 exp/small"""


@dataclass
class Options(UnpackOptions):
    """Options of nnet-pytorch-unpack-model."""


def unpack(options: Options, model: str, folder: str) -> None:
    unpack_model(model, folder, options)


main = command(unpack, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
