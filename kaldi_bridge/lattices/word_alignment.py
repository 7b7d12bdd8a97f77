"""Lattices whose arcs are words (lat/word-align-lattice.cc, word-align-lattice-lexicon.cc), in C++
(csrc/lattice_alignment.h)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import is_number, shown, words
from kaldi_bridge.lattices.lattice import CompactLattice, is_cyclic

KINDS = {"begin": 1, "end": 2, "singleton": 3, "internal": 4, "nonword": 5}  # PhoneKind in C++
MAX_PHONE = 1 << 24


def transitions_of(model: TransitionModel) -> Any:
    """What alignment in C++ needs to know of the model."""
    return _csrc.Transitions(model.id_to_phone.tolist(), model.is_final.tolist(), model.is_self_loop.tolist())


@dataclass
class Aligned:
    """``lattice``, not yet sorted; ``whole``: it consisted of whole words or phones, none cut off."""

    lattice: CompactLattice
    whole: bool


def native_aligned(
    align: Any, model: TransitionModel, lattice: CompactLattice, *arguments: Any, warn: bool = True
) -> Aligned:
    """Calls one of the functions in C++ and logs what it warns of.

    Raises KaldiError for a lattice with a cycle or with transition-ids that the model has not.
    """
    if is_cyclic(lattice):
        raise KaldiError("the lattice has a cycle")
    model.checked(lattice.strings)
    try:
        parts, warnings, whole = align(lattice.parts, *arguments)
    except ValueError as error:
        raise KaldiError(str(error)) from None
    for warning in warnings if warn else ():
        log.warning(warning)
    return Aligned(CompactLattice(*parts), whole)


@dataclass
class WordLabelOptions:
    """WordBoundaryInfoNewOpts."""

    silence_label: int = option(0, "Word that silence arcs have in the word-aligned lattice (zero is OK)")
    partial_word_label: int = option(
        0, 'Word of partial words at the end of "forced-out" utterances in the word-aligned lattice (zero is OK)'
    )
    reorder: bool = option(True, "True if the lattices were generated from graphs that had the --reorder option true")


def read_word_boundaries(rxfilename: str) -> list[int]:
    """What is said of each phone in a file word_boundary.int, by phone, as numbers of KINDS; 0: nothing."""
    kinds = [0]
    with open_input(rxfilename) as stream:
        while line := stream.readline():
            fields = words(line)
            if len(fields) != 2 or not is_number(fields[0]) or fields[1] not in KINDS:
                raise KaldiError(f"{stream.where()}: Invalid line in word-boundary file: {shown(line)}")
            phone = int(fields[0])
            if not 0 < phone < MAX_PHONE:
                raise KaldiError(f"{stream.where()}: {phone} is no phone: {shown(line)}")
            kinds += [0] * (phone + 1 - len(kinds))
            kinds[phone] = KINDS[fields[1]]
    if len(kinds) == 1:
        raise KaldiError(f"{rxfilename}: Empty word-boundary file")
    return kinds


class WordAligner:
    """Aligns lattices of word-position-dependent phones by the places in words that these have."""

    def __init__(
        self, model: TransitionModel, kinds: Sequence[int], options: WordLabelOptions, max_expand: float
    ) -> None:
        self._model, self._native, self._kinds = model, transitions_of(model), list(kinds)
        self._labels = options.silence_label, options.partial_word_label, options.reorder
        self._max_expand = max_expand

    def align(self, lattice: CompactLattice, warn: bool = True) -> Aligned:
        """Raises KaldiError as ``native_aligned``, and for phones without a place in words.

        ``warn``: of what the lattice ends within, which is right while speech goes on.
        """
        most = int(1000 + self._max_expand * lattice.num_states) if self._max_expand > 0 else 0
        arguments = self._native, self._kinds, *self._labels, most
        return native_aligned(_csrc.align_words, self._model, lattice, *arguments, warn=warn)


class AlignmentLexicon:
    """Lines of word in the lattice, word in the result, phones; as a list, and as C++ has them."""

    def __init__(self, lines: list[list[int]], native: Any) -> None:
        self.lines, self.native = lines, native


def read_alignment_lexicon(rxfilename: str) -> AlignmentLexicon:
    """A file align_lexicon.int. Raises KaldiError."""
    lines = []
    with open_input(rxfilename) as stream:
        while line := stream.readline():
            fields = words(line)
            if len(fields) < 2 or not all(is_number(field) and len(field) < 10 for field in fields):
                raise KaldiError(f"{stream.where()}: Lexicon line is invalid: {shown(line)}")
            lines.append([int(field) for field in fields])
    if not lines:
        raise KaldiError(f"{rxfilename}: the alignment lexicon is empty")
    return alignment_lexicon(lines, rxfilename)


def alignment_lexicon(lines: list[list[int]], name: str) -> AlignmentLexicon:
    """Of such lines; ``name``: of where they are from. Raises KaldiError for lines that make no sense."""
    try:
        native = _csrc.AlignmentLexicon(lines)
    except ValueError as error:
        raise KaldiError(f"{name}: {error}") from None
    for warning in native.warnings:
        log.warning(warning)
    return AlignmentLexicon(lines, native)


class LexiconAligner:
    """Aligns lattices by the pronunciations of their words; phones need not know their places in words."""

    def __init__(
        self,
        model: TransitionModel,
        lexicon: AlignmentLexicon,
        partial_word_label: int,
        reorder: bool,
        max_expand: float,
    ) -> None:
        self._model, self._native = model, transitions_of(model)
        self._arguments = lexicon.native, partial_word_label, reorder, max_expand

    def align(self, lattice: CompactLattice, warn: bool = True) -> Aligned:
        """Raises KaldiError as ``native_aligned``, and for words that the lexicon has not; ``warn`` as above."""
        arguments = self._native, *self._arguments
        return native_aligned(_csrc.align_words_by_lexicon, self._model, lattice, *arguments, warn=warn)
