"""A loaded or newly made archive, as an object to compute with and to save."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.text import strip
from nnet3_compat.export.compiled import Compiled
from nnet3_compat.export.description import Description
from nnet3_compat.export.nnet3_parts import network_of
from nnet3_compat.export.onnx_runtime import OnnxGraph
from nnet3_compat.export.torch_model_file import Contents, archive_from_bytes, archive_to_bytes
from nnet3_compat.model.model_file import Archive, write_archive
from nnet3_compat.network.network import Network


class TorchModel:
    """An archive with its description; does what nnet3_compat.utterances.computation asks of a model.

    Attributes:
        module: the scripted archive.Archive, a program.Program, or what else torch_model_file.py knows.
        description: also spelled out as attributes of this object.
        transition_model: Kaldi's, where the file has one.
        priors: float32 [output_dim], or None.
        nnet3: what is kept of the nnet3 network that it was made of (nnet3_parts.py), or None.
    """

    def __init__(
        self,
        module: Any,
        description: Description,
        transition_model: TransitionModel | None = None,
        nnet3: bytes | None = None,
    ) -> None:
        d = description
        if transition_model is not None:
            d.check_pdfs(transition_model.num_pdfs)
        self.module, self.description, self.transition_model = module, description, transition_model
        self.nnet3 = nnet3
        self.input_dim, self.ivector_dim, self.output_dim = d.input_dim, d.ivector_dim, d.output_dim
        self.left_context, self.right_context, self.modulus = d.left_context, d.right_context, d.modulus
        self.frame_subsampling_factor = d.frame_subsampling_factor
        self.priors = np.array(d.priors, np.float32) if d.priors else None

    @classmethod
    def from_archive(cls, archive: Archive, name: str) -> TorchModel:
        """What model_file.read_any gave of a file ``name``; the transition model of a .mdl goes before the archive's.

        Raises KaldiError where the archive is broken or does not describe itself.
        """
        found = archive_from_bytes(archive.data, name)
        with within(name):
            transition_model = archive.transition_model or found.transition_model
            return cls(found.module, found.description, transition_model, found.nnet3)

    def archive(self, with_transition_model: bool = True) -> bytes:
        """The archive that ``torch.jit.load`` or ``torch.export.load`` opens."""
        transition_model = self.transition_model if with_transition_model else None
        return archive_to_bytes(Contents(self.module, self.description, transition_model, self.nnet3))

    def network(self, name: str = "model") -> Network:
        """The nnet3 network that it was made of, with the parameters that it has. Raises KaldiError: it was of none."""
        if self.nnet3 is None:
            why = "it was not made of one, or before archives kept it"
            if isinstance(self.module, (OnnxGraph, Compiled)):
                why = "ONNX files and compiled libraries keep none; give the model that it was exported from"
            raise KaldiError(f"{name} has no nnet3 network to give back: {why}")
        return network_of(self.nnet3, self.module.state_dict(), name)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        first = next(self.module.parameters(), None)
        return torch.device("cpu") if first is None else first.device

    def to(self, device: torch.device | str) -> TorchModel:
        """Moves it, and returns it."""
        if torch.device(device) != self.device:
            self.module = self.module.to(device)
        return self

    def expect_whole_utterances(self, name: str = "this model") -> None:
        """Raises KaldiError where it computes utterances chunk by chunk, and nothing else."""
        if self.description.chunk_frames:
            raise KaldiError(
                f"{name} computes chunks of {self.description.chunk_frames} frames one after the other: it is for the "
                "programs that decode online, or as these (-looped)"
            )

    def chunk_invariant(self, num_outputs: int) -> bool:
        """Whether an output depends on nothing outside of its context."""
        return self.description.chunk_invariant

    def __call__(
        self, features: Tensor, ivector: Tensor | None = None, left: int | None = None, num_outputs: int | None = None
    ) -> Tensor:
        """[N, T, D], [N, K] -> [N, num_outputs, P].

        Args:
            left: frames before the first output frame (default: the left context). More of them than the network's
                context, and more on the right, warm up what has a memory.
            num_outputs: default: as many as there are frames for.
        Raises:
            KaldiError: wrong shapes, or too few frames.
        """
        self.expect_whole_utterances()
        factor = self.frame_subsampling_factor
        extra = 0 if left is None else left - self.left_context
        if extra < 0:
            raise KaldiError(f"{left} frames of left context given, the network needs {self.left_context}")
        warm_up = extra // factor
        if self.description.chunk_invariant:
            warm_up = 0
            if num_outputs is not None:
                end = extra + self.description.frames_in(num_outputs)
                features = features[:, :end]
        features = features[:, extra - warm_up * factor :]
        try:
            # Without this the first two calls take seconds to optimize, loops above all, and gain next to nothing.
            with torch.jit.optimized_execution(False):
                output = self._valid(features, ivector)[:, warm_up:]
        except (RuntimeError, torch.jit.Error) as error:
            raise KaldiError(_reason(error)) from error
        if num_outputs is None:
            return output
        if output.size(1) < num_outputs:
            raise KaldiError(f"too few frames: {num_outputs} output frames asked for, there are {output.size(1)}")
        return output[:, :num_outputs]

    def _valid(self, features: Tensor, ivector: Tensor | None) -> Tensor:
        """Of all frames; in pieces where the module computes a fixed number, and that may be."""
        d, frames = self.description, features.shape[1]
        n = (frames - d.frames_in(1)) // d.frame_subsampling_factor + 1
        if n <= 0 or n == d.num_outputs or not (d.num_outputs and d.chunk_invariant):
            output: Tensor = self.module(features, ivector)
            return output
        step, size = d.num_outputs * d.frame_subsampling_factor, d.frames_in(d.num_outputs)
        firsts = torch.arange(0, n * d.frame_subsampling_factor, step, device=features.device)
        time = (firsts.unsqueeze(1) + torch.arange(size, device=features.device)).clamp(max=frames - 1)
        return torch.cat([self.module(features[:, piece], ivector) for piece in time], dim=1)[:, :n]

    def save(self, wxfilename: str) -> None:
        """Writes our ``.mdl`` where there is a transition model, else a plain archive."""
        write_archive(wxfilename, Archive(self.archive(with_transition_model=False), self.transition_model))


def _reason(error: BaseException) -> str:
    """The last line of a TorchScript error, which is what was raised."""
    lines = [line for line in str(error).split("\n") if strip(line)]
    return lines[-1].removeprefix("ValueError: ").removeprefix("RuntimeError: ") if lines else type(error).__name__
