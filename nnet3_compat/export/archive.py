"""The modules that go into an archive: TorchScript that runs alone, without this package.

    archive = torch.jit.load("final.pt")
    output = archive(features, ivector)          # [N, T, D], [N, K] or None -> [N, T_out, P], valid frames only
    output = archive.compute(features, ivector)  # [T, D], [K] or None -> [ceil(T / f), P], edges padded

``forward`` pads nothing: with f the frame subsampling factor, T frames give
``(T - 1 - left_context - right_context) // f + 1`` output frames, the first one that of input frame ``left_context``.
``compute`` does as Kaldi's programs do with a whole utterance: it repeats the first and the last frame, so that there
is an output for every f-th input frame.
"""

from typing import List, Optional

import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.description import Description
from nnet3_compat.network.network import Network
from nnet3_compat.structure.request import Request

# TorchScript wants typing.List and typing.Optional in annotations.
# ruff: noqa: UP006, UP007, UP035, UP045


class Archive(nn.Module):
    """Checks, padding, and the description as attributes, around a core that computes valid frames."""

    def __init__(self, core: nn.Module, description: Description) -> None:
        super().__init__()
        d = description
        self.core = core
        self.input_dim: int = d.input_dim
        self.ivector_dim: int = d.ivector_dim
        self.output_dim: int = d.output_dim
        self.left_context: int = d.left_context
        self.right_context: int = d.right_context
        self.modulus: int = d.modulus
        self.frame_subsampling_factor: int = d.frame_subsampling_factor
        self.chunk_invariant: bool = d.chunk_invariant

    def forward(self, features: Tensor, ivector: Optional[Tensor] = None) -> Tensor:
        if features.dim() != 3 or features.size(2) != self.input_dim:
            raise ValueError("features must be [N, T, " + str(self.input_dim) + "], not " + str(features.size()))
        if features.size(1) < self.left_context + 1 + self.right_context:
            need = self.left_context + 1 + self.right_context
            raise ValueError("too few frames: " + str(features.size(1)) + ", at least " + str(need) + " are needed")
        if self.ivector_dim == 0:
            if ivector is not None:
                raise ValueError("this network takes no i-vector")
        elif ivector is None:
            raise ValueError("this network needs an i-vector")
        elif ivector.dim() != 2 or ivector.size(0) != features.size(0) or ivector.size(1) != self.ivector_dim:
            raise ValueError("i-vectors must be [N, " + str(self.ivector_dim) + "], not " + str(ivector.size()))
        return self.core(features, ivector)

    @torch.jit.export
    def compute(self, features: Tensor, ivector: Optional[Tensor] = None) -> Tensor:
        """A whole utterance, [T, D] -> [ceil(T / f), P]."""
        frames = features.size(0)
        if frames == 0:
            raise ValueError("an utterance without frames")
        factor = self.frame_subsampling_factor
        last = (frames - 1) // factor * factor + self.right_context
        time = torch.arange(-self.left_context, last + 1, device=features.device).clamp(0, frames - 1)
        padded = features.index_select(0, time).unsqueeze(0)
        if ivector is None:
            return self.forward(padded, None)[0]
        return self.forward(padded, ivector.unsqueeze(0))[0]


class NetworkCore(nn.Module):
    """An nnet3 network and the layouts for any number of output frames (see layout.py)."""

    def __init__(self, network: Network, request: Request) -> None:
        """``request``: as all that the archive is to compute, but for the number of output frames."""
        super().__init__()
        table = network.layout_table(request)
        if table is None:
            raise KaldiError(
                "this network reads frames in a pattern that depends on the length in no regular way: it cannot be "
                "exported for any number of frames"
            )
        self.executor: nn.Module = network.executor(("output",))
        self.input_names: List[str] = list(self.executor.input_names)
        self.factor: int = request.factor
        self.context: int = request.left + request.right
        self.period: int = table.period
        self.minimum: int = table.minimum
        self.sizes: List[int] = [int(n) for n in table.sizes]
        self.base: List[List[int]] = table.base.tolist()
        self.slope: List[List[int]] = table.slope.tolist()
        # Short outputs, whose layouts have not settled.
        self.short: List[List[List[int]]] = [
            network.layout(request.resized(n)) for n in range(1, max(table.minimum, 2))
        ]

    def layout(self, n: int) -> List[List[int]]:
        """For ``n`` output frames."""
        if n < self.minimum:
            return self.short[n - 1]
        base, slope = self.base[n % self.period], self.slope[n % self.period]
        times = n // self.period
        made: List[List[int]] = []
        at = 0
        for size in self.sizes:
            spec: List[int] = []
            for i in range(at, at + size):
                spec.append(base[i] + slope[i] * times)
            made.append(spec)
            at += size
        return made

    def forward(self, features: Tensor, ivector: Optional[Tensor]) -> Tensor:
        n = (features.size(1) - self.context - 1) // self.factor + 1
        inputs = given_inputs(self.input_names, features, ivector)
        return self.executor(inputs, self.layout(n))[0].transpose(0, 1)


def given_inputs(names: List[str], features: Tensor, ivector: Optional[Tensor]) -> List[Tensor]:
    """The inputs of an executor, time first."""
    inputs: List[Tensor] = []
    for name in names:
        if name == "ivector":
            assert ivector is not None
            inputs.append(ivector.unsqueeze(0))
        else:
            inputs.append(features.transpose(0, 1).contiguous())
    return inputs


class FeaturesOnly(nn.Module):
    """A user's module that takes features alone."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, features: Tensor, ivector: Optional[Tensor]) -> Tensor:
        return self.module(features)


class FeaturesAndIvector(nn.Module):
    """A user's module that takes features and i-vectors."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, features: Tensor, ivector: Optional[Tensor]) -> Tensor:
        assert ivector is not None
        return self.module(features, ivector)
