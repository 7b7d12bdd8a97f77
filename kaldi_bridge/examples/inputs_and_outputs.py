"""What examples with supervision have in common on file: inputs of the network, then outputs of a kind of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from kaldi_bridge.examples.buffer import take_parts
from kaldi_bridge.examples.frame_examples import NnetIo, read_count
from kaldi_bridge.io.basic_io import expect_token, write_int32, write_token
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream

Output = TypeVar("Output", bound="SupervisedOutput")


class SupervisedOutput(Protocol):
    """The supervision of an output node."""

    @classmethod
    def from_parts(cls: type[Output], *parts: Any) -> Output: ...

    @classmethod
    def read(cls: type[Output], stream: InputStream, binary: bool) -> Output: ...

    def write(self, stream: OutputStream, binary: bool) -> None: ...


def read_inputs_and_outputs(
    stream: InputStream, binary: bool, token: str, kind: type[Output]
) -> tuple[list[NnetIo], list[Output]]:
    """Of an example that begins with ``token``. Raises KaldiError when the stream holds none."""
    if binary and (parts := take_parts(stream, token)) is not None:
        return [NnetIo.from_parts(*part) for part in parts[0]], [kind.from_parts(*part) for part in parts[1]]
    expect_token(stream, binary, token)
    expect_token(stream, binary, "<NumInputs>")
    inputs = [NnetIo.read(stream, binary) for _ in range(read_count(stream, binary))]
    expect_token(stream, binary, "<NumOutputs>")
    outputs = [kind.read(stream, binary) for _ in range(read_count(stream, binary))]
    expect_token(stream, binary, token.replace("<", "</"))
    return inputs, outputs


def write_inputs_and_outputs(
    stream: OutputStream, binary: bool, token: str, inputs: Sequence[NnetIo], outputs: Sequence[SupervisedOutput]
) -> None:
    """As Kaldi writes them."""
    newline = b"" if binary else b"\n"
    write_token(stream, binary, token)
    for count, parts in (("<NumInputs>", inputs), ("<NumOutputs>", outputs)):
        write_token(stream, binary, count)
        write_int32(stream, binary, len(parts))
        stream.write(newline)
        for part in parts:
            part.write(stream, binary)
            stream.write(newline)
    write_token(stream, binary, token.replace("<", "</"))
