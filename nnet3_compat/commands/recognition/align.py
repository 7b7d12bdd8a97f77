"""nnet-pytorch-align: when each word and phone of a transcript is said, by a model as it is handed on."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.alignment.program import AlignmentOptions
from nnet3_compat.alignment.program import align as align_inputs

USAGE = """Align transcripts with recordings: tell when each word and each phone of them is said.
The model is a folder for Vosk, or a directory of Kaldi's for online decoding (prepare_online_decoding.sh). Words are
those of its graph or, with --lang, of a lang directory, to which --lexicon adds pronunciations. What is aligned is a
data directory (wav.scp, text, perhaps segments), or wave files, each with a file of its text behind it. Recordings may
be hours long: they are read and searched piece by piece.

Usage: nnet-pytorch-align [options] <model-dir> <data-dir>
   or: nnet-pytorch-align [options] <model-dir> <wav1> <text1> [<wav2> <text2> ...]
e.g.:
 nnet-pytorch-align --lang=data/lang exp/tdnn_online data/test > ctm
 nnet-pytorch-align --output=textgrid,json --output-dir=aligned vosk-model-small-en-us-0.15 talk.wav talk.txt"""


@dataclass
class Options(AlignmentOptions):
    """Options of nnet-pytorch-align."""


def align(options: Options, model_dir: str, data_dir: str, *text_and_more: str) -> int:
    return align_inputs(options, model_dir, data_dir, *text_and_more)


main = command(align, usage=USAGE)

if __name__ == "__main__":
    main()
