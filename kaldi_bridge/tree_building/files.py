"""The files of tree building."""

from __future__ import annotations

from typing import Protocol

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.streams import OutputStream, open_input, open_output
from kaldi_bridge.tree_building.questions import Questions
from kaldi_bridge.tree_building.statistics import TreeStatistics


class Writable(Protocol):
    """Trees, questions, statistics."""

    def write(self, stream: OutputStream, binary: bool) -> None: ...


def write_object(wxfilename: str, value: Writable, binary: bool = True) -> None:
    """Writes one with Kaldi's header, whole or not at all."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        value.write(stream, binary)


def read_statistics(rxfilename: str, width: int = 0) -> TreeStatistics:
    """``width``: of the windows, at least. Raises KaldiError when they are wider."""
    with open_input(rxfilename) as stream:
        statistics = TreeStatistics.read(stream, read_header(stream), width)
    if width and statistics.width != width:
        raise KaldiError(
            f"{rxfilename}: statistics for windows of {statistics.width} phones, but --context-width is {width}"
        )
    return statistics


def read_questions(rxfilename: str) -> Questions:
    """Questions about phones and pdf-classes, of compile-questions."""
    with open_input(rxfilename) as stream:
        return Questions.read(stream, read_header(stream))


def read_topology(rxfilename: str) -> Topology:
    """A topology by itself, as ``lang/topo`` has it."""
    with open_input(rxfilename) as stream:
        return Topology.read(stream, read_header(stream))
