"""nnet-pytorch-add-deltas: twin of add-deltas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command, option
from kaldi_bridge.features.splicing import add_deltas as with_deltas
from kaldi_bridge.features.splicing import truncated
from kaldi_bridge.tables.changed import change_features

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
    def with_their_deltas(feats: np.ndarray) -> np.ndarray:
        feats = truncated(feats, options.truncate) if options.truncate else feats
        return with_deltas(feats, options.delta_order, options.delta_window)

    change_features(feats_rspecifier, feats_wspecifier, with_their_deltas, "Empty feature matrix for key {}".format)
    return 0


main = command(add_deltas, usage=USAGE)

if __name__ == "__main__":
    main()
