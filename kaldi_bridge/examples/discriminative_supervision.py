"""What discriminative training compares: the alignment of what was said, and a lattice of what might have been said
(nnet3/discriminative-supervision.cc)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts import properties
from kaldi_bridge.io.basic_io import (
    expect_token,
    read_float,
    read_int32,
    read_int_vector,
    write_float,
    write_int32,
    write_int_vector,
    write_token,
)
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.lattices.lattice import Lattice, acyclic_top_sorted, to_lattice
from kaldi_bridge.lattices.lattice_files import read_lattice, write_lattice, write_lattice_text
from kaldi_bridge.lattices.state_times import state_times

_PRECISION = 7  # digits of numbers in objects as text, of which this is one; lattices by themselves have 6


@dataclass
class DiscriminativeSupervision:
    """Of one utterance, of a part of it, or of several parts of equal length one after the other.

    Attributes:
        weight: of the objective; 1 as a rule.
        num_sequences, frames_per_sequence: how many parts, and the frames of each.
        alignment: int32 [num_sequences * frames_per_sequence], the transition-ids of what was said.
        lattice: of transition-ids, all of whose paths have as many frames; states in topological order. Its acoustic
            costs are computed anew in training.
    """

    weight: float
    num_sequences: int
    frames_per_sequence: int
    alignment: np.ndarray
    lattice: Lattice

    @property
    def num_frames(self) -> int:
        """Of all sequences."""
        return self.num_sequences * self.frames_per_sequence

    @classmethod
    def of_utterance(cls, alignment: np.ndarray, lattice: Lattice, weight: float = 1.0) -> DiscriminativeSupervision:
        """Raises KaldiError where the two are of different lengths, or the lattice is empty or has a cycle."""
        made = cls(weight, 1, len(alignment), np.asarray(alignment, np.int32), _sorted(lattice))
        made.check()
        return made

    @classmethod
    def from_parts(
        cls,
        weight: float,
        num_sequences: int,
        frames_per_sequence: int,
        alignment: np.ndarray,
        lattice: tuple[Any, ...],
        known: int,
    ) -> DiscriminativeSupervision:
        """From what example_buffer finds: ``lattice`` its arrays, ``known`` the properties in its header."""
        read = Lattice(*lattice)
        read.properties = known
        return cls(weight, num_sequences, frames_per_sequence, alignment, _sorted(read))

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> DiscriminativeSupervision:
        """Raises KaldiError when the stream holds no such supervision."""
        expect_token(stream, binary, "<DiscriminativeSupervision>")
        expect_token(stream, binary, "<Weight>")
        weight = read_float(stream, binary)
        sequences, frames = (_read_size(stream, binary, name) for name in ("<NumSequences>", "<FramesPerSeq>"))
        expect_token(stream, binary, "<NumAli>")
        alignment = np.array(read_int_vector(stream, binary), np.int32)
        expect_token(stream, binary, "<DenLat>")
        lattice = to_lattice(read_lattice(stream))
        if not binary:
            lattice.properties = int(_csrc.tested_properties(lattice.parts))
        lattice = _sorted(lattice)
        expect_token(stream, binary, "</DiscriminativeSupervision>")
        return cls(weight, sequences, frames, alignment, lattice)

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""
        write_token(stream, binary, "<DiscriminativeSupervision>")
        write_token(stream, binary, "<Weight>")
        write_float(stream, binary, self.weight)
        write_token(stream, binary, "<NumSequences>")
        write_int32(stream, binary, self.num_sequences)
        write_token(stream, binary, "<FramesPerSeq>")
        write_int32(stream, binary, self.frames_per_sequence)
        write_token(stream, binary, "<NumAli>")
        write_int_vector(stream, binary, self.alignment.tolist())
        write_token(stream, binary, "<DenLat>")
        if binary:
            write_lattice(stream, self.lattice)
        else:
            stream.write(b"\n")
            write_lattice_text(stream, self.lattice, _PRECISION)
            stream.write(b"\n")
        write_token(stream, binary, "</DiscriminativeSupervision>")

    def check(self) -> None:
        """Raises KaldiError where the alignment or the lattice is not of so many frames."""
        if not len(self.alignment):
            raise KaldiError("the alignment is empty")
        if not self.lattice.num_states:
            raise KaldiError("the lattice is empty")
        _, frames = state_times(self.lattice)
        if not frames == len(self.alignment) == self.num_frames:
            raise KaldiError(
                f"the lattice has {frames} frames, the alignment {len(self.alignment)}; expected {self.num_frames}"
            )


def _read_size(stream: InputStream, binary: bool, name: str) -> int:
    expect_token(stream, binary, name)
    size = read_int32(stream, binary)
    if size <= 0:
        raise KaldiError(f"{stream.where()}: {name} {size} must be positive")
    return size


def _sorted(lattice: Lattice) -> Lattice:
    try:
        made = acyclic_top_sorted(lattice)
    except KaldiError:
        raise KaldiError("the lattice of a supervision has a cycle") from None
    made.properties = properties.of_sorted(lattice.properties)
    return made
