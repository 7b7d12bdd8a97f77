"""What a model file of ours says about itself: enough to compute with it knowing nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.json_text import parse_json
from nnet3_compat.structure.request import Request

FORMAT = "nnet-pytorch"
VERSION = 1
MAX_FRAMES = 1 << 20
"""As much context, and as long chunks, as a model can have: three hours."""


@dataclass(frozen=True)
class Description:
    """A network as seen from outside.

    Attributes:
        input_dim, ivector_dim (0: takes none), output_dim: dimensions of features, i-vector and output.
        left_context, right_context: frames that the network sees before the first and after the last output frame.
        frame_subsampling_factor: input frames per output frame.
        modulus: times may be shifted by multiples of it (Kaldi's Nnet::Modulus).
        chunk_invariant: an output frame depends on the frames within its context only, not on where a chunk begins.
        output_name: of the node that the output comes from.
        priors: prior probabilities of the output units, all positive, or none.
        num_outputs: 0 where any number of output frames can be asked for, else the number of frames of every call.
        chunk_frames: 0, or the input frames of each chunk of a model that computes utterances chunk by chunk
            (streaming.py); the first one has ``left_context`` and ``right_context`` frames more.
        states: of such a model, per program the [rows, dim] of what it returns for the next chunk.
    """

    input_dim: int
    output_dim: int
    ivector_dim: int = 0
    left_context: int = 0
    right_context: int = 0
    frame_subsampling_factor: int = 1
    modulus: int = 1
    chunk_invariant: bool = False
    output_name: str = "output"
    priors: list[float] = field(default_factory=list)
    num_outputs: int = 0
    chunk_frames: int = 0
    states: list[list[list[int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value, most = getattr(self, name), MAX_FRAMES if name in _FRAMES else 2**31 - 1
            if type(value) is not int or value < least:
                raise KaldiError(f"model description: {name} must be a whole number of at least {least}, not {value!r}")
            if value > most:
                raise KaldiError(f"model description: {name} may be {most} at most")
        if not isinstance(self.chunk_invariant, bool):
            raise KaldiError(f"model description: chunk_invariant must be true or false, not {self.chunk_invariant!r}")
        if not isinstance(self.output_name, str):
            raise KaldiError("model description: output_name must be text")
        priors = self.priors
        if not isinstance(priors, list) or not all(map(_is_prior, priors)):
            raise KaldiError(
                "model description: priors must be a list of positive numbers, which outputs are divided by"
            )
        if len(priors) not in (0, self.output_dim):
            raise KaldiError(f"model description: {len(priors)} priors for {self.output_dim} outputs")

        _check_states(self.states)
        if bool(self.states) != bool(self.chunk_frames) or self.chunk_frames % self.frame_subsampling_factor:
            raise KaldiError("model description: chunk_frames does not go with the states or the factor")

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Names and shapes of the inputs, for people and for JSON."""
        every: list[dict[str, Any]] = [{"name": "features", "shape": ["N", "T", self.input_dim]}]
        if self.ivector_dim:
            every.append({"name": "ivector", "shape": ["N", self.ivector_dim]})
        return every

    def request(self, num_outputs: int) -> Request:
        """What a call for so many output frames asks for."""
        factor, outputs = self.frame_subsampling_factor, (self.output_name,)
        return Request(num_outputs, self.left_context, self.right_context, factor, outputs)

    def frames_in(self, num_outputs: int) -> int:
        """Input frames for so many output frames."""
        return self.request(num_outputs).num_inputs

    def check_shapes(self, features: Sequence[int], ivector: Sequence[int] | None) -> None:
        """Raises KaldiError where inputs of these shapes are none of the network's."""
        if len(features) != 3 or features[2] != self.input_dim:
            raise KaldiError(f"features must be [N, T, {self.input_dim}], not {list(features)}")
        if features[1] < self.frames_in(1):
            raise KaldiError(f"too few frames: {features[1]}, at least {self.frames_in(1)} are needed")
        if self.num_outputs and features[1] != self.frames_in(self.num_outputs):
            chunk = self.num_outputs * self.frame_subsampling_factor
            raise KaldiError(
                f"{features[1]} frames; this model takes {self.frames_in(self.num_outputs)}: chunks of {chunk} frames "
                "and their context"
            )
        if ivector is None and self.ivector_dim:
            raise KaldiError("this network needs an i-vector")
        if ivector is not None and not self.ivector_dim:
            raise KaldiError("this network takes no i-vector")
        if ivector is not None and list(ivector) != [features[0], self.ivector_dim]:
            raise KaldiError(f"i-vectors must be [N, {self.ivector_dim}], not {list(ivector)}")

    def check_pdfs(self, num_pdfs: int, source: str = "the transition model") -> None:
        """Raises KaldiError where a transition model ``source`` with so many pdfs is none of this network's."""
        if num_pdfs != self.output_dim:
            raise KaldiError(
                f"{source} has {num_pdfs} pdfs, the network {self.output_dim} outputs: it is not of the network's tree"
            )

    def to_json(self) -> str:
        outputs = [{"name": self.output_name, "shape": ["N", self.num_outputs or "T_out", self.output_dim]}]
        head = {"format": FORMAT, "version": VERSION, "inputs": self.inputs, "outputs": outputs}
        return json.dumps({**head, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Description:
        """Raises KaldiError where it is no description, or one of a later version."""
        found = parse_json(text, "model description")
        if found.get("format") != FORMAT:
            raise KaldiError("model description: not one of nnet-pytorch's")
        if found.get("version") != VERSION:
            raise KaldiError(f"model description: version {found.get('version')!r}, this program knows {VERSION}")
        known = {name: found[name] for name in cls.__dataclass_fields__ if name in found}
        try:
            return cls(**known)
        except TypeError as error:
            raise KaldiError(f"model description: incomplete ({error})") from error


def _is_prior(value: Any) -> bool:
    """As a float32, which it becomes."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and _SMALLEST <= value <= _LARGEST


def _check_states(states: Any) -> None:
    def is_shape(shape: Any) -> bool:
        return isinstance(shape, list) and len(shape) == 2 and all(type(n) is int and 0 < n < 2**31 for n in shape)

    programs = states if isinstance(states, list) else [None]
    if not all(isinstance(each, list) and all(map(is_shape, each)) for each in programs):
        raise KaldiError("model description: states must be lists of [rows, dim]")


_SMALLEST, _LARGEST = float(np.finfo(np.float32).smallest_subnormal), float(np.finfo(np.float32).max)
_FRAMES = {"left_context", "right_context", "frame_subsampling_factor", "modulus", "num_outputs", "chunk_frames"}
_LEAST = {
    "input_dim": 1,
    "output_dim": 1,
    "ivector_dim": 0,
    "left_context": 0,
    "right_context": 0,
    "frame_subsampling_factor": 1,
    "modulus": 1,
    "num_outputs": 0,
    "chunk_frames": 0,
}
