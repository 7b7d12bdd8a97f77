"""The questions that splits of a tree may ask, and their file (tree/build-tree-questions.cc)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import MAX_PHONE, Topology
from kaldi_bridge.hmm.tree import PDF_CLASS
from kaldi_bridge.io import basic_io

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

Question = tuple[int, ...]
"""The values, sorted, for which the answer is yes."""


class Questions:
    """``of``: the questions by key, a position in the window or PDF_CLASS.

    ``refinements``: passes of moving single values to the other side of a split, as the file has them.
    """

    def __init__(self, of: dict[int, list[Question]], refinements: int = 0) -> None:
        self.of, self.refinements = dict(sorted(of.items())), refinements

    @classmethod
    def for_phones(cls, phone_sets: Iterable[Sequence[int]], topology: Topology, width: int = 3) -> Questions:
        """Whether a phone of the window is in one of the sets, and how far in its HMM a frame is.

        bin/compile-questions.cc. Raises KaldiError for sets with phones that the topology does not have.
        """
        questions = sorted({tuple(sorted(phones)) for phones in phone_sets if phones})
        asked = {phone for question in questions for phone in question}
        if asked - set(topology.phones):
            raise KaldiError(f"questions ask for phone {min(asked - set(topology.phones))}, which is not in topo")
        if any(len(set(q)) < len(q) for q in questions):
            raise KaldiError("a question has the same phone twice")
        if asked != set(topology.phones):
            log.warning(f"No question asks for phones {sorted(set(topology.phones) - asked)}.")
        classes = max(topology.num_pdf_classes(phone) for phone in topology.phones)
        of = {position: questions for position in range(width)}
        of[PDF_CLASS] = [tuple(range(n)) for n in range(1, classes)]
        return cls(of)

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> Questions:
        """Raises KaldiError where the file is not one of questions."""
        basic_io.expect_token(stream, binary, "<Questions>")
        of: dict[int, list[Question]] = {}
        refinements = 0
        while (token := basic_io.read_token(stream, binary)) != "</Questions>":
            if token != "<Key>":
                raise KaldiError(f"{stream.where()}: expected <Key>, got {token}")
            key = basic_io.read_int32(stream, binary)
            basic_io.expect_token(stream, binary, "<QuestionsForKey>")
            size = basic_io.read_int32(stream, binary)
            if size < 0 or not stream.holds(size):
                raise KaldiError(f"{stream.where()}: {size} is no number of questions, or the file is truncated")
            of[key] = [tuple(basic_io.read_int_vector(stream, binary)) for _ in range(size)]
            wrong = [value for question in of[key] for value in question if not 0 <= value <= MAX_PHONE]
            if wrong:
                raise KaldiError(f"{stream.where()}: a question asks for {wrong[0]}: no phone, no class of pdfs")
            basic_io.expect_token(stream, binary, "<RefineClustersOptions>")
            refinements = basic_io.read_int32(stream, binary)
            basic_io.read_int32(stream, binary)
            for end in ("</RefineClustersOptions>", "</QuestionsForKey>"):
                basic_io.expect_token(stream, binary, end)
        return cls(of, refinements)

    def write(self, stream: OutputStream, binary: bool) -> None:
        basic_io.write_token(stream, binary, "<Questions>")
        for key, questions in self.of.items():
            basic_io.write_token(stream, binary, "<Key>")
            basic_io.write_int32(stream, binary, key)
            basic_io.write_token(stream, binary, "<QuestionsForKey>")
            basic_io.write_int32(stream, binary, len(questions))
            for question in questions:
                basic_io.write_int_vector(stream, binary, question)
            basic_io.write_token(stream, binary, "<RefineClustersOptions>")
            basic_io.write_int32(stream, binary, self.refinements)
            basic_io.write_int32(stream, binary, 2)
            for end in ("</RefineClustersOptions>", "</QuestionsForKey>"):
                basic_io.write_token(stream, binary, end)
        basic_io.write_token(stream, binary, "</Questions>")
