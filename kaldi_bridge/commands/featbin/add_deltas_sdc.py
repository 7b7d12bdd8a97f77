"""nnet-pytorch-add-deltas-sdc: twin of add-deltas-sdc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command, option
from kaldi_bridge.features.splicing import add_shifted_deltas, truncated
from kaldi_bridge.tables.changed import change_features

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
    def with_their_deltas(feats: np.ndarray) -> np.ndarray:
        feats = truncated(feats, options.truncate) if options.truncate else feats
        return add_shifted_deltas(feats, options.delta_window, options.num_blocks, options.block_shift)

    change_features(feats_rspecifier, feats_wspecifier, with_their_deltas, "Empty feature matrix for key {}".format)
    return 0


main = command(add_deltas_sdc, usage=USAGE)

if __name__ == "__main__":
    main()
