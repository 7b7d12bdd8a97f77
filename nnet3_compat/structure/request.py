"""What is asked of a network: which outputs, of which input frames (nnet3/nnet-computation.h, ComputationRequest)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Request:
    """The times of all inputs and outputs; all sequences of a batch have the same. Equal requests have equal layouts.

    Attributes:
        num_outputs: output frames of each sequence, at times 0, ``factor``, 2 ``factor``, ...
        left, right: frames of features before the first output frame and after the last one.
        factor: input frames per output frame, the frame subsampling factor.
        outputs: names of output nodes.
        ivector_rows: i-vectors of each sequence, at times ``ivector_start + k * ivector_period``.
        training: whether the network is to be trained on it.
    """

    num_outputs: int
    left: int
    right: int
    factor: int = 1
    outputs: tuple[str, ...] = ("output",)
    ivector_rows: int = 1
    ivector_period: int = 0
    ivector_start: int = 0
    training: bool = False

    @property
    def num_inputs(self) -> int:
        """Frames of features of each sequence, the first at time ``-left``."""
        return (self.num_outputs - 1) * self.factor + 1 + self.left + self.right

    def resized(self, num_outputs: int) -> Request:
        """The same for another number of output frames."""
        return replace(self, num_outputs=num_outputs)

    def output_times(self) -> dict[str, np.ndarray]:
        """Per output node, the times that are wanted."""
        return dict.fromkeys(self.outputs, np.arange(self.num_outputs) * self.factor)

    def input_times(self) -> dict[str, np.ndarray]:
        """Per input node, the times of the rows that are given."""
        return {
            "input": np.arange(self.num_inputs) - self.left,
            "ivector": np.arange(self.ivector_rows) * max(self.ivector_period, 1) + self.ivector_start,
        }
