"""Training examples as batches for a network: the rows of Kaldi's index vectors as sequences of frames and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.frame_examples import NnetIo
from kaldi_bridge.io.sparse import to_dense
from nnet3_compat.network.network import Network
from nnet3_compat.structure.request import DerivTimes


@dataclass
class Frames:
    """Rows that are sequences of equal length: ``order`` [sequences, frames] of rows; first time, and the step."""

    order: np.ndarray
    first: int
    step: int

    @property
    def last(self) -> int:
        """Time of the last frame."""
        return self.first + self.step * (self.order.shape[1] - 1)

    @classmethod
    def of(cls, name: str, indexes: np.ndarray) -> Frames:
        """Raises KaldiError when the sequences have different times, or gaps."""
        if not len(indexes):
            raise KaldiError(f"the example has no frames for {name}")
        order = np.lexsort((indexes[:, 1], indexes[:, 0]))
        sequences = len(np.unique(indexes[:, 0]))
        frames = len(indexes) // sequences
        times = indexes[order, 1]
        step = int(times[1] - times[0]) if frames > 1 else 1
        first = int(times[0])
        expected = np.tile(first + step * np.arange(frames), sequences)
        if step < 1 or not np.array_equal(times, expected) or indexes[:, 2].any():
            raise KaldiError(f"the rows for {name} are not sequences of frames at equal distances: split the examples")
        return cls(order.reshape(sequences, frames), first, step)


def compute_outputs(
    network: Network,
    inputs: list[NnetIo],
    wanted: dict[str, np.ndarray],
    device: torch.device | None = None,
    deriv_times: DerivTimes | None = None,
) -> dict[str, Tensor]:
    """Outputs of the network on an example's inputs.

    Args:
        wanted: indexes [rows, 3] of each output node; all must have the same frames.
        deriv_times: in training, where derivatives count.
    Returns:
        [rows, dim] for each, rows in the order of its indexes; gradients flow to the network's parameters.
    Raises:
        KaldiError: inputs that the network does not have or that are missing, or rows that are no sequences of frames.
    """
    by_name = {part.name: part for part in inputs}
    if "input" not in by_name:
        raise KaldiError("the example has no features named 'input'")
    unknown = set(by_name) - {"input", "ivector"}
    if unknown:
        raise KaldiError(f"the example has an input {sorted(unknown)[0]!r}; known are 'input' and 'ivector'")
    frames = {name: Frames.of(name, indexes) for name, indexes in wanted.items()}
    shape = next(iter(frames.values()))
    source = Frames.of("input", by_name["input"].indexes)
    if any((f.first, f.step, f.order.shape) != (shape.first, shape.step, shape.order.shape) for f in frames.values()):
        raise KaldiError(f"the outputs {', '.join(frames)} have different frames")
    if source.step != 1 or len(source.order) != len(shape.order) or shape.first % network.modulus:
        raise KaldiError("the frames of the example's input do not fit those of its outputs")
    left = shape.first - source.first
    if left < 0:
        raise KaldiError(f"the example's input begins at frame {source.first}, after its output at {shape.first}")
    features = torch.from_numpy(to_dense(by_name["input"].features)[source.order]).to(device)
    ivector, period = None, 0
    if "ivector" in by_name:
        rows = Frames.of("ivector", by_name["ivector"].indexes)
        ivector = torch.from_numpy(to_dense(by_name["ivector"].features)[rows.order]).to(device)
        period = rows.step
    names = tuple(frames)
    made = network(
        features,
        ivector,
        factor=shape.step,
        num_outputs=shape.order.shape[1],
        left=left,
        outputs=names,
        ivector_period=period,
        deriv_times=deriv_times.counted_from(shape.first, shape.last) if deriv_times else None,
    )
    outputs = [made] if isinstance(made, Tensor) else made
    result = {}
    for name, output in zip(names, outputs, strict=True):
        result[name] = _in_rows(output, frames[name].order)
    return result


def backpropagate(outputs: Sequence[Tensor], derivatives: Sequence[Tensor]) -> None:
    """Sends the derivatives at outputs back through the network, as ``torch.autograd.backward(outputs, derivatives)``.

    That would import sympy to compare their shapes, which takes a program more than a second.
    """
    parts = [_WithDerivative.apply(output, made) for output, made in zip(outputs, derivatives, strict=True)]
    torch.stack(parts).sum().backward()


class _WithDerivative(torch.autograd.Function):
    """A number, whose derivative with respect to a tensor is given."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, derivative: Tensor) -> Tensor:
        ctx.derivative = derivative.to(output.dtype)
        return output.new_zeros(())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.derivative, None


def _in_rows(output: Tensor, order: np.ndarray) -> Tensor:
    """[sequences, frames, dim] as rows, of which ``order`` [sequences, frames] tells where each belongs."""
    every = np.arange(order.size)
    if np.array_equal(order.T.ravel(), every):  # frame by frame, as they are computed
        return output.transpose(0, 1).reshape(order.size, -1)
    if np.array_equal(order.ravel(), every):
        return output.reshape(order.size, -1)
    place = np.empty(order.size, np.int64)
    place[order.ravel()] = every
    return output.reshape(order.size, -1)[torch.from_numpy(place).to(output.device)]
