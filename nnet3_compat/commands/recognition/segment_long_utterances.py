"""nnet-pytorch-segment-long-utterances: long recordings and texts with errors into a data directory for training."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.alignment.segmentation_program import LongOptions, segment_long

USAGE = """Find in long recordings, each with its whole text, segments where the text is what is said, and write them
as a data directory (segments, text). The text may have errors, lack parts, or have others that nobody says. Recordings
are decoded with a grammar of their texts, and what is heard is aligned with the text.
The model is a folder for Vosk, or a directory of Kaldi's for online decoding (prepare_online_decoding.sh), with --lang,
HCLr.fst or, whose grammar cannot be changed and is taken as it is, HCLG.fst.

Usage: nnet-pytorch-segment-long-utterances [options] <model-dir> <data-in> <data-out>
e.g.:
 nnet-pytorch-segment-long-utterances --lang=data/lang exp/tdnn_online data/talks data/talks_segmented"""


@dataclass
class Options(LongOptions):
    """Options of nnet-pytorch-segment-long-utterances."""


def segment_long_utterances(options: Options, model_dir: str, data_in: str, data_out: str) -> int:
    return segment_long(options, model_dir, data_in, data_out)


main = command(segment_long_utterances, usage=USAGE)

if __name__ == "__main__":
    main()
