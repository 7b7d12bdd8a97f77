"""What the input labels of CLG mean: Kaldi's ilabels files (fstext/context-fst.h, WriteILabelInfo).

A label means nothing (number 0), a phone window, or, as a list of one number, the negative of a disambiguation symbol.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.streams import open_input, open_output


def is_disambig(label: Sequence[int]) -> bool:
    """Whether the label stands for no window of phones: epsilon or a disambiguation symbol."""
    return len(label) == 1 and label[0] <= 0


def read_labels(rxfilename: str) -> list[list[int]]:
    """Raises KaldiError."""
    with open_input(rxfilename) as stream:
        binary = basic_io.read_header(stream)
        if binary and (found := stream.parsed(_csrc.parse_vectors, read_on=True)) is not None:
            return found
        count = basic_io.read_int32(stream, binary)
        if count < 0 or not stream.holds(count):
            raise KaldiError(f"{stream.where()}: {count} is no number of labels, or the file is truncated")
        return [basic_io.read_int_vector(stream, binary) for _ in range(count)]


def write_labels(wxfilename: str, labels: Iterable[list[int]], binary: bool = True) -> None:
    """The window of phones that each input label of CLG means: Kaldi's ilabels files."""
    labels = list(labels)
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        if binary:
            stream.write(_csrc.pack_vectors(labels))
            return
        basic_io.write_int32(stream, binary, len(labels))
        for label in labels:
            basic_io.write_int_vector(stream, binary, label)
