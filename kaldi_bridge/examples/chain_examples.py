"""Chain training examples, Kaldi's .cegs (nnet3/nnet-chain-example.cc)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import ExampleHolder, RawExampleHolder
from kaldi_bridge.examples.frame_examples import NnetIo, read_indexes, write_indexes
from kaldi_bridge.examples.inputs_and_outputs import read_inputs_and_outputs, write_inputs_and_outputs
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.io.basic_io import expect_token, read_token, write_token
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.output_stream import OutputStream

TOKEN = "<Nnet3ChainEg>"


@dataclass
class ChainOutput:
    """The supervision of an output node.

    Attributes:
        name: of the node.
        indexes: int32 [rows, 3] of (n, t, x): all sequences of the first frame, then of the second, and so on.
        supervision: what they shall say.
        deriv_weights: float32 [rows], or empty for 1 everywhere: what derivatives are multiplied with.
    """

    name: str
    indexes: np.ndarray
    supervision: Supervision
    deriv_weights: np.ndarray

    @classmethod
    def from_parts(cls, name: str, indexes: np.ndarray, supervision: Any, deriv_weights: np.ndarray) -> ChainOutput:
        """From what example_buffer finds."""
        return cls(name, indexes, Supervision.from_parts(*supervision), deriv_weights)

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> ChainOutput:
        """Raises KaldiError when the stream holds no such output, or its sizes do not fit."""
        expect_token(stream, binary, "<NnetChainSup>")
        name = read_token(stream, binary)
        indexes = read_indexes(stream, binary)
        supervision = Supervision.read(stream, binary)
        weights = np.zeros(0, np.float32)
        token = read_token(stream, binary)
        if token == "<DW>" and binary:  # of older examples
            weights = _read_bytes(stream) / np.float32(255)
        elif token in ("<DW>", "<DW2>"):
            weights = read_vector(stream, binary)
        if token in ("<DW>", "<DW2>"):
            expect_token(stream, binary, "</NnetChainSup>")
        elif token != "</NnetChainSup>":
            raise KaldiError(f"{stream.where()}: unexpected token {token}")
        rows = supervision.num_sequences * supervision.frames_per_sequence
        if len(indexes) != rows or len(weights) not in (0, rows):
            raise KaldiError(
                f"{stream.where()}: a supervision of {rows} frames has {len(indexes)} indexes, {len(weights)} weights"
            )
        return cls(name, indexes, supervision, weights)

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""
        write_token(stream, binary, "<NnetChainSup>")
        write_token(stream, binary, self.name)
        write_indexes(stream, binary, self.indexes)
        self.supervision.write(stream, binary)
        write_token(stream, binary, "<DW2>")
        write_vector(stream, binary, self.deriv_weights)
        write_token(stream, binary, "</NnetChainSup>")


@dataclass
class ChainExample:
    """Inputs of a network and the supervision of its outputs; one chunk, or a merged minibatch."""

    inputs: list[NnetIo]
    outputs: list[ChainOutput]

    @property
    def network_inputs(self) -> list[NnetIo]:
        """Inputs that a network has: those whose names begin with "__" are for other use."""
        return [part for part in self.inputs if not part.name.startswith("__")]

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> ChainExample:
        """Raises KaldiError when the stream holds no chain example."""
        return cls(*read_inputs_and_outputs(stream, binary, TOKEN, ChainOutput))

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""
        write_inputs_and_outputs(stream, binary, TOKEN, self.inputs, self.outputs)


CHAIN_EXAMPLE = ExampleHolder[ChainExample](
    ChainExample.read, lambda stream, binary, value: value.write(stream, binary)
)
RAW_CHAIN_EXAMPLE = RawExampleHolder(CHAIN_EXAMPLE, TOKEN)


def _read_bytes(stream: InputStream) -> np.ndarray:
    size, count = struct.unpack("<bi", stream.read(5))
    if size != 1 or count < 0:
        raise KaldiError(f"{stream.where()}: expected a vector of bytes")
    return np.frombuffer(stream.read(count), np.uint8)
