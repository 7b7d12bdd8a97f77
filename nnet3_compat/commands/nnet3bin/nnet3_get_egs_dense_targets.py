"""nnet-pytorch-get-egs-dense-targets: twin of nnet3-get-egs-dense-targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.cutting import packed
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.examples.making import FrameExampleOptions, make_frame_examples

USAGE = """Make training examples with a row of numbers as the target of each frame, for a quadratic objective, say.
Usage: nnet-pytorch-get-egs-dense-targets [options] <features-rspecifier> <targets-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-get-egs-dense-targets --num-targets=26 --left-context=12 --right-context=9 --num-frames=8 \\
 scp:feats.scp scp:snrs.scp ark:1.egs"""


@dataclass
class Options(FrameExampleOptions):
    """Options of nnet3-get-egs-dense-targets."""

    num_targets: int = option(-1, "Dimension of the targets, which is checked unless negative")


def get_egs_dense_targets(options: Options, features: str, targets: str, egs: str) -> int:
    def targets_of(key: str, matrix: np.ndarray) -> tuple[Any, int]:
        if 0 <= options.num_targets != matrix.shape[1] and len(matrix):
            raise KaldiError(f"{key}: targets of dimension {matrix.shape[1]}, but --num-targets={options.num_targets}")
        return packed(matrix), len(matrix)

    return make_frame_examples(options, features, targets, FLOAT_MATRIX, targets_of, egs, "target matrix")


main = command(get_egs_dense_targets, usage=USAGE)

if __name__ == "__main__":
    main()
