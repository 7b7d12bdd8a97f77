"""What is asked of a network: which outputs, of which input frames (nnet3/nnet-computation.h, ComputationRequest)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kaldi_bridge.errors import KaldiError

INT_MIN, INT_MAX = -(2**31), 2**31 - 1


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
        deriv_times: in training, the first and the last time at which derivatives count; None: they all do.
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
    deriv_times: tuple[int, int] | None = None

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


@dataclass(frozen=True)
class DerivTimes:
    """The times at which derivatives count (nnet3/nnet-optimize.h, NnetOptimizeOptions).

    They do from ``first`` to ``last``, or, where ``last_relative`` is given, to so many frames after the last output.
    Least and largest int32: no limit.
    """

    first: int = INT_MIN
    last: int = INT_MAX
    last_relative: int = INT_MAX

    def counted_from(self, first_output: int, last_output: int) -> tuple[int, int] | None:
        """First and last one, for outputs at these times and counted from the first of them; None: no limit.

        Raises:
            KaldiError: the last one is before the first one.
        """
        last = self.last if self.last_relative == INT_MAX else self.last_relative + last_output
        if (self.first, last) == (INT_MIN, INT_MAX):
            return None
        if last < self.first:
            raise KaldiError(
                f"--optimization.max-deriv-time or -relative: {last} is before the first time {self.first}"
            )
        return self.first - first_output, last - first_output
