"""nnet-pytorch-feat-to-len: twin of feat-to-len."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32

USAGE = """Tell the length of utterances in frames: of each as a table, or of all together on standard output.
Usage: nnet-pytorch-feat-to-len [options] <feats-rspecifier> [<lengths-wspecifier>]
e.g.: nnet-pytorch-feat-to-len scp:feats.scp ark,t:feats.lengths"""


@dataclass
class Options:
    """No options of its own."""


def feat_to_len(options: Options, feats_rspecifier: str, lengths_wspecifier: str = "") -> int:
    with SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader:
        if not lengths_wspecifier:
            write_stdout(f"{sum(len(feats) for _, feats in reader)}\n")
            return 0
        with TableWriter(lengths_wspecifier, INT32) as writer:
            for utterance, feats in reader:
                writer.write(utterance, len(feats))
    return 0


main = command(feat_to_len, usage=USAGE)

if __name__ == "__main__":
    main()
