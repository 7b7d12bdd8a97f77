"""nnet-pytorch-add-deltas: twin of add-deltas."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.splicing import add_deltas as with_deltas
from kaldi_bridge.features.splicing import truncated
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Add deltas (derivatives over time) to features.
Usage: nnet-pytorch-add-deltas [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-add-deltas scp:data/train/feats.scp ark:-"""


@dataclass
class Options:
    """Options of add-deltas."""

    delta_order: int = option(2, "Order of delta computation")
    delta_window: int = option(2, "Parameter controlling window for delta computation (actual window is 2n + 1)")
    truncate: int = option(0, "If nonzero, first truncate features to this dimension.")


def add_deltas(options: Options, feats_rspecifier: str, feats_wspecifier: str) -> int:
    loop = TableLoop()
    with (
        SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            with loop.entry(utterance):
                if not len(feats):
                    raise EntryError(f"Empty feature matrix for key {utterance}")
                if options.truncate:
                    feats = truncated(feats, options.truncate)
                writer.write(utterance, with_deltas(feats, options.delta_order, options.delta_window))
    return 0


main = command(add_deltas, usage=USAGE)

if __name__ == "__main__":
    main()
