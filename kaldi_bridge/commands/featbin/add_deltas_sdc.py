"""nnet-pytorch-add-deltas-sdc: twin of add-deltas-sdc."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.splicing import add_shifted_deltas, truncated
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Add shifted deltas (derivatives of later and later frames), for language identification.
Usage: nnet-pytorch-add-deltas-sdc [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-add-deltas-sdc scp:data/train/feats.scp ark:-"""


@dataclass
class Options:
    """Options of add-deltas-sdc."""

    delta_window: int = option(1, "Size of delta advance and delay")
    num_blocks: int = option(7, "Number of delta blocks in advance of each frame to be concatenated")
    block_shift: int = option(3, "Distance between each block")
    truncate: int = option(0, "If nonzero, first truncate features to this dimension")


def add_deltas_sdc(options: Options, feats_rspecifier: str, feats_wspecifier: str) -> int:
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
                shape = options.delta_window, options.num_blocks, options.block_shift
                writer.write(utterance, add_shifted_deltas(feats, *shape))
    return 0


main = command(add_deltas_sdc, usage=USAGE)

if __name__ == "__main__":
    main()
