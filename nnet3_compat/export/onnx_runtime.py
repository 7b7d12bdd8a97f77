"""ONNX files as the commands here compute them: with onnxruntime, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.description import Description
from nnet3_compat.export.tensor_files import reason_of

TRIED_OUTPUTS = 4
MOST_TRIED = 1 << 24  # numbers of features


class OnnxGraph:
    """A graph that is ready to compute; does what a Program does.

    Raises:
        KaldiError: onnxruntime is not installed, cannot load it, or it computes otherwise than its description says.
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
        self._check()

    def _check(self) -> None:
        """Tries it. That shows contexts whose sum is wrong; frames moved from one side to the other are not seen.

        Raises KaldiError where the graph does not go with the description.
        """
        d, outputs = self.description, self.description.num_outputs or TRIED_OUTPUTS
        # As many frames as so many outputs take, and as many more as do not yet make another one.
        for more in {0, 0 if d.num_outputs else d.frame_subsampling_factor - 1}:
            features, ivector = self._zeros(d.frames_in(outputs) + more)
            self._expect(self(features, ivector), features, outputs)

    def _zeros(self, frames: int) -> tuple[Tensor, Tensor | None]:
        """Inputs to try it with. Raises KaldiError where the graph takes others."""
        d = self.description
        inputs = [each for each in self._session.get_inputs() if each.name in ("features", "ivector")]
        taken = {each.name: each.shape[-1] for each in inputs}
        claimed = {"features": d.input_dim} | ({"ivector": d.ivector_dim} if d.ivector_dim else {})
        if taken != claimed:
            raise KaldiError(f"{self._name}: its description is not its own: it takes {taken}, not {claimed}")
        if frames * d.input_dim > MOST_TRIED:
            raise KaldiError(f"{self._name}: its description asks for {frames} frames at once, which is not believed")
        return torch.zeros(1, frames, d.input_dim), torch.zeros(1, d.ivector_dim) if d.ivector_dim else None

    def _expect(self, output: Tensor, features: Tensor, num_outputs: int) -> None:
        d, wanted = self.description, (1, num_outputs, self.description.output_dim)
        if tuple(output.shape) != wanted:
            raise KaldiError(
                f"{self._name}: its description is not its own: of features {list(features.shape)} it makes "
                f"{list(output.shape)}; left_context={d.left_context}, right_context={d.right_context}, "
                f"frame_subsampling_factor={d.frame_subsampling_factor}, output_dim={d.output_dim} make {list(wanted)}"
            )

    def __call__(self, features: Tensor, ivector: Tensor | None = None) -> Tensor:
        """[N, T, D], [N, K] -> [N, T_out, P]. Raises KaldiError where shapes do not fit."""
        self.description.check_shapes(features.shape, None if ivector is None else ivector.shape)
        (output,) = self._run({"features": features, **({} if ivector is None else {"ivector": ivector})})
        return output

    def _run(self, given: dict[str, Tensor]) -> list[Tensor]:
        try:
            made: list[Any] = self._session.run(None, {key: x.numpy() for key, x in given.items()})
        except Exception as error:  # of many kinds again
            shape = list(given["features"].shape)
            raise KaldiError(
                f"{self._name}: onnxruntime cannot compute features {shape} ({reason_of(error)})"
            ) from error
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

    def _check(self) -> None:
        """The first chunk and later ones; each takes no other number of frames than its own."""
        d, states = self.description, list[Tensor]()
        for chunk, after in enumerate(d.states):
            context = 0 if chunk else d.left_context + d.right_context
            features, ivector = self._zeros(context + d.chunk_frames)
            output, states = self.compute(chunk, features, ivector, states)
            self._expect(output, features, d.chunk_frames // d.frame_subsampling_factor)
            if [list(state.shape[1:]) for state in states] != after:
                raise KaldiError(f"{self._name}: its description is not its own: chunk {chunk} leaves other states")

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
