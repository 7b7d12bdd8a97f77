"""nnet-pytorch-select-feats: twin of select-feats."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.combination import selected_dims
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Select dimensions of features, as cut -f does columns.
Usage: nnet-pytorch-select-feats <selection> <in-rspecifier> <out-wspecifier>
e.g.: nnet-pytorch-select-feats 0,24-22,3-12 scp:feats.scp ark,scp:out.ark,out.scp"""


def select_feats(selection: str, rspecifier: str, wspecifier: str) -> None:
    with SequentialReader(rspecifier, FLOAT_MATRIX) as reader:
        entries = iter(reader)
        first = next(entries, None)
        if first is None:
            log.warning("Empty archive provided.")
            return
        dim = first[1].shape[1]
        dims = selected_dims(selection, dim)
        with TableWriter(wspecifier, FLOAT_MATRIX) as writer:
            for utterance, feats in (first, *entries):
                if feats.shape[1] != dim:
                    raise KaldiError(f"utterance {utterance}: features of dimension {feats.shape[1]}, not {dim}")
                writer.write(utterance, feats[:, dims])


main = command(select_feats, usage=USAGE)

if __name__ == "__main__":
    main()
