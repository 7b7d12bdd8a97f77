"""Examples as they lie in the buffer of a stream: where they end, and what they are made of, found in C++.

This knows the binary form that Kaldi writes today. Text, older forms and damaged examples are left to the readers of
kaldi_bridge.examples.frame_examples, .chain_examples and .discriminative_examples, which know all forms and say what is
wrong. Kinds of examples are told apart by the token that they begin with.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.input_stream import TRUSTED_SIZE, InputStream
from kaldi_bridge.io.output_stream import OutputStream, Pieces
from kaldi_bridge.tables.holders import Holder, ObjectHolder

T = TypeVar("T")
MARKER = b"\0B"  # of binary objects


def take_parts(stream: InputStream, token: str) -> tuple[list[Any], list[Any]] | None:
    """The inputs and the outputs, if it has any apart, of the next example, which begins after its binary marker.

    Passes over it. None, and nothing read, where it is not of the form that is known here.
    """
    size, parts = _find(stream, 0, token, True)
    stream.skip(size)
    return parts


def _find(stream: InputStream, ahead: int, token: str, with_parts: bool) -> tuple[int, Any]:
    """(size in bytes, parts) of the example that begins so many bytes ahead; (0, None) for another form."""
    while True:
        have = stream.end - stream.pos
        if have >= ahead:
            end, parts = _csrc.parse_example(stream.buffer, stream.pos + ahead, stream.end, token, with_parts)
            if end >= 0:
                return max(0, end - stream.pos - ahead), parts
            needed = ahead - end
            if not stream.holds(needed):
                return 0, None
        else:
            needed = ahead + 1
        # Twice as much each time, so that long examples are not looked at too often; a length is not trusted.
        if stream.fill(max(min(needed, TRUSTED_SIZE), 2 * have)) <= have:
            return 0, None


class ExampleHolder(ObjectHolder[T]):
    """Examples, which have many small parts: a stream gets them whole."""

    def write(self, stream: OutputStream, binary: bool, value: T) -> None:
        """Writes one example with its binary marker."""
        pieces = Pieces(stream.name)
        super().write(pieces, binary, value)
        stream.write(pieces.data())


class RawExampleHolder(Generic[T]):
    """Examples as the bytes of their binary form, marker included, for those who pass them on."""

    def __init__(self, holder: Holder[T], token: str) -> None:
        self._holder = holder
        self._token = self.form = token

    def read(self, stream: InputStream) -> bytes:
        """The bytes as they are; those that would be written today where the example has another form."""
        if stream.peek(len(MARKER)) == MARKER:
            size, _ = _find(stream, len(MARKER), self._token, False)
            if size:
                return stream.read(len(MARKER) + size)
        return self.data(self._holder.read(stream))

    def write(self, stream: OutputStream, binary: bool, value: bytes) -> None:
        """Writes the bytes, or the example in them as text."""
        if binary:
            stream.write(value)
        else:
            self._holder.write(stream, False, self.example(value))

    def extract_range(self, value: bytes, text: str) -> bytes:
        """Raises KaldiError."""
        raise KaldiError(f"Range [{text}]: examples have no ranges")

    def example(self, data: bytes) -> T:
        """What the bytes hold."""
        return self._holder.read(InputStream.from_bytes(data))

    def data(self, example: T) -> bytes:
        """The bytes of an example."""
        pieces = Pieces("memory")
        self._holder.write(pieces, True, example)
        return pieces.data()


def shift_times(data: bytes, shift: int) -> bytes:
    """The bytes of an example, inputs but i-vectors ``shift`` frames later.

    Outputs of chain and discriminative examples move by the nearest multiple of the distance of their frames, those of
    plain ones like inputs. Raises KaldiError where that distance is not known, as there are fewer than two frames.
    """
    try:
        return _csrc.shift_example(data, len(MARKER), shift)
    except ValueError as error:
        raise KaldiError(f"cannot shift an example: {error}") from error
