"""Indices of keywords: FSTs that read words and tell in which utterance, between which frames and at what cost they may
have been said (kws/kaldi-kws.h, kws-functions.cc; csrc/keyword_index.h).

    index = lattice_index(lattice, "utt", 7, IndexOptions())
    whole = optimized(united([index, ...]))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst_header import EXPANDED, MAGIC, MUTABLE, FstHeader
from kaldi_bridge.fsts.table_text import number_text, read_arcs, text_of
from kaldi_bridge.fsts.vector_files import read_vector_body
from kaldi_bridge.io.text import fields
from kaldi_bridge.lattices.lattice import CompactLattice, is_cyclic, sorted_if_needed
from kaldi_bridge.lattices.state_times import state_times
from kaldi_bridge.options import option

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

WEIGHT = np.dtype([("cost", "<f4"), ("begin", "<f4"), ("end", "<f4")])
ARC = np.dtype([("ilabel", "<i4"), ("olabel", "<i4"), ("weight", WEIGHT), ("nextstate", "<i4")])
ARC_TYPE = "tropical_LT_tropical_LT_tropical"
# fst/properties.h: nothing leads to the start state; all states are accessible and coaccessible
_INITIAL_ACYCLIC, _ON_PATHS = 1 << 37, 1 << 40 | 1 << 42
_MOST_STATES = (1 << 31) - 1
_NO_END = (np.inf, np.inf, np.inf)

T = TypeVar("T")


@dataclass
class IndexOptions:
    """Options of lattice-to-kws-index."""

    frame_subsampling_factor: int = option(1, "Frame subsampling factor")
    max_silence_frames: int = option(
        50, "No keyword goes over a silence of more frames than this, of the input where frames are subsampled"
    )
    strict: bool = option(True, "Exit with status 1 where no lattice was processed")
    max_states_scale: float = option(
        4.0, "An index has at most this many times the lattice's states while it is optimized; negative: any number"
    )
    allow_partial: bool = option(
        True, "Where these are too few, write what was made with them; else do not determinize"
    )

    def check(self) -> None:
        """Raises KaldiError for a factor that makes no sense."""
        if self.frame_subsampling_factor <= 0:
            raise KaldiError(f"--frame-subsampling-factor={self.frame_subsampling_factor} must be positive")

    def silence_frames(self) -> int:
        """--max-silence-frames after subsampling."""
        return int(0.5 + self.max_silence_frames / self.frame_subsampling_factor)

    def most_states(self, lattice: CompactLattice) -> int:
        """-1: any number."""
        most = np.float32(self.max_states_scale) * np.float32(lattice.num_states)
        return int(min(_MOST_STATES, float(most))) if self.max_states_scale > 0 else -1


class KeywordIndex:
    """States 0 to n - 1 with their arcs one after the other, without a cycle.

    Attributes:
        start: the start state, -1 for an index of nothing.
        finals: WEIGHT [n], final weights; their costs are inf where a state is not final.
        offsets: int64 [n + 1]; the arcs of state s are ``arcs[offsets[s]:offsets[s + 1]]``.
        arcs: ARC. Those to final states have what tells paths of the same words apart, and the utterance.
        properties: what the file says of it, or will say.
    """

    def __init__(
        self,
        start: int,
        finals: np.ndarray,
        offsets: np.ndarray,
        arcs: np.ndarray,
        properties: int = EXPANDED | MUTABLE,
    ) -> None:
        self.start = start
        self.finals = finals
        self.offsets = offsets
        self.arcs = arcs
        self.properties = properties

    @property
    def parts(self) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """What C++ takes."""
        return self.start, self.finals, self.offsets, self.arcs

    @property
    def num_states(self) -> int:
        return len(self.finals)

    @property
    def has_numbers(self) -> bool:
        """Whether no weight is minus infinity or not a number."""
        weights = (self.finals, self.arcs["weight"])
        return all(bool((part[x] > -np.inf).all()) for part in weights for x in WEIGHT.names or ())

    def check(self, name: str) -> None:
        """Raises KaldiError for states or labels out of range, weights that make no sense, and cycles."""
        n, arcs = self.num_states, self.arcs
        if not -1 <= self.start < n or (n and self.start < 0):
            raise KaldiError(f"{name}: the index's start state {self.start} is not one of its {n} states")
        if len(arcs) and not 0 <= arcs["nextstate"].min() <= arcs["nextstate"].max() < n:
            raise KaldiError(f"{name}: the index has an arc to a state that does not exist")
        if len(arcs) and min(arcs["ilabel"].min(), arcs["olabel"].min()) < 0:
            raise KaldiError(f"{name}: the index has a negative label")
        if not self.has_numbers:
            raise KaldiError(f"{name}: the index has a weight that is minus infinity or not a number")
        if n and _csrc.ArcLists(self.start, self.offsets, arcs["nextstate"]).topological_order() is None:
            raise KaldiError(f"{name}: the index has a cycle")


def _optimized(parts: tuple[int, np.ndarray, np.ndarray, np.ndarray]) -> KeywordIndex:
    return KeywordIndex(*parts, EXPANDED | MUTABLE | _ON_PATHS)


def lattice_index(lattice: CompactLattice, name: str, utterance: int, options: IndexOptions) -> KeywordIndex:
    """The index of an utterance, by its number. Warns where it is not optimized as a whole.

    Raises EntryError for a lattice that cannot be indexed, KaldiError for one that makes no sense.
    """
    if utterance < 0:
        raise KaldiError(f"the utterance's number {utterance} is negative")
    if is_cyclic(lattice):
        raise EntryError(f"Cycles detected in lattice {name}")
    lattice = sorted_if_needed(lattice)
    state_times(lattice)  # warns of ends that make no sense
    silence, states = options.silence_frames(), options.most_states(lattice)
    try:
        made = _made(lambda: _csrc.lattice_index(lattice.parts, utterance, silence, states, options.allow_partial))
    except RuntimeError as error:
        raise EntryError(f"{error} for lattice {name}") from None
    parts, warnings = made
    for warning in warnings:
        log.warning(warning)
    index = _optimized(parts)
    if not index.has_numbers:  # Kaldi writes that index, and nothing is found in it
        raise EntryError(f"Costs are minus infinity or not a number in lattice {name}")
    return index


def united(indices: Sequence[KeywordIndex]) -> KeywordIndex:
    """What any of them has, one after the other."""
    first = next((index for index in indices if index.num_states), None)
    from_first = first is not None and bool(first.properties & _INITIAL_ACYCLIC)
    return KeywordIndex(*_made(lambda: _csrc.index_union([index.parts for index in indices], from_first)))


def optimized(index: KeywordIndex, max_states: int = -1) -> KeywordIndex:
    """Determinized and minimized, with both labels of an arc as one.

    Warns where more than ``max_states`` states (0 or less: any number) would be made: it is not determinized then.
    """
    parts, warning = _made(lambda: _csrc.optimized_index(index.parts, max_states))
    if warning:
        log.warning(f"{warning} (should affect speed of search but not results)")
    return _optimized(parts)


def _made(make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError as error:
        raise KaldiError(str(error)) from None


class KeywordIndexHolder:
    """Indices in tables: OpenFst's vector type, or text after a newline (fstext/kaldi-fst-io.h, VectorFstTplHolder)."""

    def read(self, stream: InputStream) -> KeywordIndex:
        if stream.peek(4) == MAGIC:
            index = self._read_binary(stream)
        elif stream.peek(1) in (b"\n", b"\r", b" ", b"\t"):
            stream.readline()
            index = self._read_text(stream)
        else:
            raise KaldiError(f"{stream.where()}: expected an index of keywords")
        index.check(stream.name)
        return index

    def _read_binary(self, stream: InputStream) -> KeywordIndex:
        header = FstHeader.read(stream)
        if header.fst_type != "vector" or header.arc_type != ARC_TYPE:
            raise KaldiError(
                f"{stream.name}: an FST of type {header.fst_type} {header.arc_type} is no index of keywords"
            )
        offsets, arcs, finals, _, _ = read_vector_body(stream, header)
        return KeywordIndex(header.start, finals.view(WEIGHT), offsets, arcs.view(ARC), header.properties)

    def _read_text(self, stream: InputStream) -> KeywordIndex:
        start, lines, ends = read_arcs(stream, _weight_of, (0.0, 0.0, 0.0))
        states = max([start, *ends, *(max(line[0], line[4]) for line in lines)]) + 1
        finals = np.array([ends.get(s, _NO_END) for s in range(states)], WEIGHT)
        sources = np.array([line[0] for line in lines], np.int64)
        arcs = np.array([line[1:] for line in lines], ARC)[np.argsort(sources, kind="stable")]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=states))]).astype(np.int64)
        properties = EXPANDED | MUTABLE
        if (arcs["nextstate"] > np.sort(sources, kind="stable")).all():
            properties |= _INITIAL_ACYCLIC
        return KeywordIndex(start, finals, offsets, arcs, properties)

    def write(self, stream: OutputStream, binary: bool, value: KeywordIndex) -> None:
        if binary:
            FstHeader("vector", ARC_TYPE, 2, 0, value.properties, value.start, value.num_states, 0).write(stream)
            stream.write(_csrc.index_bytes(value.parts))
        else:
            arcs, offsets = value.arcs.tolist(), value.offsets.tolist()
            states = (
                ([(i, o, _weight_text(w), to) for i, o, w, to in arcs[offsets[s] : offsets[s + 1]]], _final_text(final))
                for s, final in enumerate(value.finals.tolist())
            )
            stream.write(b"\n")
            stream.write(text_of(value.start, states))
            stream.write(b"\n")

    def extract_range(self, value: KeywordIndex, text: str) -> KeywordIndex:
        raise KaldiError(f"an index of keywords has no ranges: [{text}]")


def _weight_of(text: bytes) -> tuple[float, float, float]:
    cost, begin, end = (float(number) for number in fields(text.replace(b",", b" ")))
    return cost, begin, end


def _weight_text(weight: Any) -> str:
    return ",".join(map(number_text, weight)) if any(weight) else ""


def _final_text(weight: Any) -> str | None:
    return None if weight[0] == np.inf else _weight_text(weight)


KEYWORD_INDEX = KeywordIndexHolder()
