"""nnet-pytorch-feat-to-dim: twin of feat-to-dim."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.tables import TableWriter, is_wspecifier
from kaldi_bridge.tables.holders import INT32

USAGE = """Tell the dimension of features: of the first utterance, or of each where the output is a table.
Usage: nnet-pytorch-feat-to-dim [options] <feats-rspecifier> (<dim-wspecifier>|<dim-wxfilename>)
e.g.: nnet-pytorch-feat-to-dim scp:feats.scp -"""


@dataclass
class Options(FrontEndOptions):
    """No options of its own."""


def feat_to_dim(options: Options, feats_rspecifier: str, output: str) -> int:
    with contextlib.closing(processed(options, feats_rspecifier)) as reader:
        if is_wspecifier(output):
            with TableWriter(output, INT32) as writer:
                for utterance, feats in reader:
                    writer.write(utterance, feats.shape[1])
            return 0
        for _, feats in reader:
            with open_output(output) as stream:
                stream.write(encode(f"{feats.shape[1]}\n"))
            return 0
    raise KaldiError(f"Could not read any features (empty archive?): {feats_rspecifier}")


main = command(feat_to_dim, usage=USAGE)

if __name__ == "__main__":
    main()
