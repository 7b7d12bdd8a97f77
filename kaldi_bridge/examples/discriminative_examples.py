"""Examples for discriminative training, Kaldi's .degs (nnet3/nnet-discriminative-example.cc)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import MARKER, ExampleHolder, RawExampleHolder
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.examples.frame_examples import NnetIo, read_indexes, write_indexes
from kaldi_bridge.examples.inputs_and_outputs import read_inputs_and_outputs, write_inputs_and_outputs
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import expect_token, read_token, write_token
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.output_stream import OutputStream

TOKEN = "<Nnet3DiscriminativeEg>"
_LEVELS = 255  # of weights of derivatives, which are bytes on file


@dataclass
class DiscriminativeOutput:
    """The supervision of an output node.

    Attributes:
        name: of the node.
        indexes: int32 [rows, 3] of (n, t, x): all sequences of the first frame, then of the second, and so on.
        supervision: which has one sequence after the other.
        deriv_weights: float32 [rows] from 0 to 1, or empty for 1 everywhere: what derivatives are multiplied with.
    """

    name: str
    indexes: np.ndarray
    supervision: DiscriminativeSupervision
    deriv_weights: np.ndarray

    @classmethod
    def from_parts(
        cls, name: str, indexes: np.ndarray, supervision: Any, deriv_weights: np.ndarray
    ) -> DiscriminativeOutput:
        """From what example_buffer finds."""
        return cls(name, indexes, DiscriminativeSupervision.from_parts(*supervision), deriv_weights)

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> DiscriminativeOutput:
        """Raises KaldiError when the stream holds no such output, or its sizes do not fit."""
        expect_token(stream, binary, "<NnetDiscriminativeSup>")
        name = read_token(stream, binary)
        indexes = read_indexes(stream, binary)
        supervision = DiscriminativeSupervision.read(stream, binary)
        expect_token(stream, binary, "<DW>")
        weights = _read_bytes(stream) if binary else read_vector(stream, binary)
        expect_token(stream, binary, "</NnetDiscriminativeSup>")
        rows = supervision.num_frames
        if len(indexes) != rows or len(supervision.alignment) != rows or len(weights) not in (0, rows):
            raise KaldiError(
                f"{stream.where()}: a supervision of {rows} frames has {len(indexes)} indexes, an alignment of "
                f"{len(supervision.alignment)} frames, {len(weights)} weights"
            )
        return cls(name, indexes, supervision, weights)

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""
        write_token(stream, binary, "<NnetDiscriminativeSup>")
        write_token(stream, binary, self.name)
        write_indexes(stream, binary, self.indexes)
        self.supervision.write(stream, binary)
        write_token(stream, binary, "<DW>")
        if binary:
            levels = (_LEVELS * self.deriv_weights.astype(np.float64) + 0.5).astype(np.uint8)
            stream.write(struct.pack("<bi", 1, len(levels)) + levels.tobytes())
        else:
            write_vector(stream, binary, self.deriv_weights)
        write_token(stream, binary, "</NnetDiscriminativeSup>")


@dataclass
class DiscriminativeExample:
    """Inputs of a network and the supervision of its outputs; one chunk, or a merged minibatch."""

    inputs: list[NnetIo]
    outputs: list[DiscriminativeOutput]

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> DiscriminativeExample:
        """Raises KaldiError when the stream holds no example for discriminative training."""
        return cls(*read_inputs_and_outputs(stream, binary, TOKEN, DiscriminativeOutput))

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""
        write_inputs_and_outputs(stream, binary, TOKEN, self.inputs, self.outputs)


class _RawHolder(RawExampleHolder[DiscriminativeExample]):
    """As Kaldi reads them: lattices in topological order, and their headers say so."""

    def read(self, stream: InputStream) -> bytes:
        return self.made(super().read(stream))

    def made(self, data: bytes) -> bytes:
        """Of the bytes of an example as they stand in a file."""
        marked: bytes | None = _csrc.with_sorted_lattices(data, len(MARKER))
        return self.data(self.example(data)) if marked is None else marked


DISCRIMINATIVE_EXAMPLE = ExampleHolder[DiscriminativeExample](
    DiscriminativeExample.read, lambda stream, binary, value: value.write(stream, binary)
)
RAW_DISCRIMINATIVE_EXAMPLE = _RawHolder(DISCRIMINATIVE_EXAMPLE, TOKEN)


def _read_bytes(stream: InputStream) -> np.ndarray:
    size, count = struct.unpack("<bi", stream.read(5))
    if size != 1 or count < 0:
        raise KaldiError(f"{stream.where()}: expected a vector of bytes")
    return np.frombuffer(stream.read(count), np.uint8) * np.float32(1.0 / _LEVELS)
