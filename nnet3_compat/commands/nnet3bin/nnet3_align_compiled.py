"""nnet-pytorch-align-compiled: twin of nnet3-align-compiled."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.utterances.alignment import AlignmentOptions, align_tables

USAGE = """Align features given a neural network.
Usage: nnet-pytorch-align-compiled [options] <nnet-in> <graphs-rspecifier> <features-rspecifier> \\
    <alignments-wspecifier> [<scores-wspecifier>]
e.g.: nnet-pytorch-align-compiled 1.mdl ark:graphs.fsts scp:train.scp ark:1.ali"""


@dataclass
class Options(AlignmentOptions):
    """Options of nnet3-align-compiled."""


def align_compiled(
    options: Options, nnet_in: str, graphs: str, features: str, alignments: str, scores: str | None = None
) -> int:
    return align_tables(options, nnet_in, graphs, features, alignments, scores)


main = command(align_compiled, usage=USAGE)

if __name__ == "__main__":
    main()
