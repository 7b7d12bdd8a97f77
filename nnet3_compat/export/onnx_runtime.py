"""ONNX files as the commands here compute them: with onnxruntime, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.description import Description
from nnet3_compat.export.tensor_files import reason_of


class OnnxGraph:
    """A graph that is ready to compute; does what a Program does.

    Raises:
        KaldiError: onnxruntime is not installed, or cannot load it.
    """

    def __init__(self, data: bytes, description: Description, name: str) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise KaldiError(
                f"{name} is an ONNX file, which takes onnxruntime to compute: pip install nnet-pytorch[onnx]"
            ) from error
        self.description, self._name = description, name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4  # what is wrong is raised
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises many kinds, for damaged files and unknown operations
            raise KaldiError(f"{name}: onnxruntime cannot load this file ({reason_of(error)})") from error

    def __call__(self, features: Tensor, ivector: Tensor | None = None) -> Tensor:
        """[N, T, D], [N, K] -> [N, T_out, P]. Raises KaldiError where shapes do not fit."""
        self.description.check_shapes(features.shape, None if ivector is None else ivector.shape)
        (output,) = self._run({"features": features, **({} if ivector is None else {"ivector": ivector})})
        return output

    def _run(self, given: dict[str, Tensor]) -> list[Tensor]:
        try:
            made: list[Any] = self._session.run(None, {key: x.numpy() for key, x in given.items()})
        except Exception as error:  # of many kinds again
            raise KaldiError(f"{self._name}: onnxruntime cannot compute this ({reason_of(error)})") from error
        return [torch.from_numpy(x) for x in made]

    def parameters(self) -> Iterator[Tensor]:
        """None: they are onnxruntime's."""
        return iter(())

    def state_dict(self) -> dict[str, Tensor]:
        """Nothing either."""
        return {}

    def to(self, device: torch.device | str) -> OnnxGraph:
        """Raises KaldiError for any device but the CPU."""
        if torch.device(device).type != "cpu":
            raise KaldiError(f"{self._name} is an ONNX file, which is computed on the CPU: give --use-gpu=no")
        return self


class OnnxStreaming(OnnxGraph):
    """A graph that computes utterances chunk by chunk; does what a Streaming does (streaming.py)."""

    def compute(
        self, chunk: int, features: Tensor, ivector: Tensor | None, states: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """[N, frames, D], [N, K] and the states of [N, rows, dim] that chunk - 1 left -> outputs, states."""
        given = {"features": features, "chunk": torch.tensor(chunk)}
        if ivector is not None:
            given["ivector"] = ivector
        for s, (_, dim) in enumerate(self.description.states[-1]):
            given[f"state{s}"] = states[s] if states else features.new_zeros(len(features), 0, dim)
        output, *after = self._run(given)
        return output, after
