"""Weighted finite-state transducers over the tropical semiring, and their files.

Read: OpenFst's binary types (fst_bodies.py) and the text form of tables. Written: vector, const, compact acceptors, and
text. Kaldi itself reads vector and const (fstext/kaldi-fst-io.h). Arcs of the log semiring are the same on file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst_bodies import ARC, CONST_STATE, read_body
from kaldi_bridge.fsts.fst_header import ALIGNMENT, EXPANDED, MAGIC, MUTABLE, FstHeader
from kaldi_bridge.fsts.table_text import number_text, read_arcs, text_of
from kaldi_bridge.io.streams import open_input, open_output

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

_STATES = 1 << 16  # written at once
STANDARD = ("standard",)


class Fst:
    """States 0 to n - 1 with their arcs one after the other.

    Attributes:
        start: the start state, -1 for an FST without states.
        finals: float32 [n], final costs; inf: not final.
        offsets: int64 [n + 1]; the arcs of state s are ``arcs[offsets[s]:offsets[s + 1]]``.
        arcs: structured array of ARC.
        header: of the file that it was read from; None for a new one.
    """

    def __init__(
        self, start: int, finals: np.ndarray, offsets: np.ndarray, arcs: np.ndarray, header: FstHeader | None = None
    ) -> None:
        self.start = start
        self.finals = finals
        self.offsets = offsets
        self.arcs = arcs
        self.header = header

    @classmethod
    def from_arcs(cls, start: int, finals: dict[int, float], arcs: list[tuple[int, int, int, float, int]]) -> Fst:
        """From (state, ilabel, olabel, cost, nextstate) tuples in any order; states are those that occur."""
        top = max([start, *finals, *(a[0] for a in arcs), *(a[4] for a in arcs)])
        source = np.array([a[0] for a in arcs], dtype=np.int64)
        order = np.argsort(source, kind="stable")
        table = np.array([(a[1], a[2], a[3], a[4]) for a in arcs], dtype=ARC)[order]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=top + 1))]).astype(np.int64)
        costs = np.full(top + 1, np.inf, dtype=np.float32)
        costs[list(finals)] = list(finals.values())
        return cls(start, costs, offsets, table)

    @property
    def num_states(self) -> int:
        """States, from 0 on."""
        return len(self.finals)

    @property
    def num_arcs(self) -> int:
        """Arcs of all states."""
        return len(self.arcs)

    @property
    def sources(self) -> np.ndarray:
        """int64 [arcs], the state that each arc leaves."""
        return np.repeat(np.arange(self.num_states), np.diff(self.offsets))

    def arcs_of(self, state: int) -> np.ndarray:
        """The arcs that leave a state."""
        return self.arcs[self.offsets[state] : self.offsets[state + 1]]

    def changed(
        self,
        *,
        start: int | None = None,
        finals: np.ndarray | None = None,
        offsets: np.ndarray | None = None,
        arcs: np.ndarray | None = None,
    ) -> Fst:
        """With other parts; what is known of arcs and symbols stays."""
        return Fst(
            self.start if start is None else start,
            self.finals if finals is None else finals,
            self.offsets if offsets is None else offsets,
            self.arcs if arcs is None else arcs,
            self.header.of_changed() if self.header else None,
        )

    def check(self, name: str = "FST") -> None:
        """Raises KaldiError when a state or label is out of range or a cost is not a number."""
        n = self.num_states
        if not (-1 <= self.start < n) or (self.start == -1 and n > 0 and self.num_arcs > 0):
            raise KaldiError(f"{name}: the FST's start state {self.start} is not one of its {n} states")
        if self.num_arcs:
            if not (self.arcs["nextstate"].min() >= 0 and self.arcs["nextstate"].max() < n):
                raise KaldiError(f"{name}: the FST has an arc to a state that does not exist")
            if min(self.arcs["ilabel"].min(), self.arcs["olabel"].min()) < 0:
                raise KaldiError(f"{name}: the FST has a negative label")
        if np.isnan(self.finals).any() or np.isnan(self.arcs["weight"]).any():
            raise KaldiError(f"{name}: the FST has a cost that is not a number")

    # Files.

    @classmethod
    def read(cls, stream: InputStream, arc_types: Collection[str] = STANDARD) -> Fst:
        """A binary FST of any of the types above. Raises KaldiError, also for arcs of other types than these."""
        base = stream.tell()
        header = FstHeader.read(stream)
        if header.arc_type not in arc_types:
            raise KaldiError(f"{stream.name}: FST with arc type {header.arc_type} is not supported.")
        body = read_body(stream, header, base)
        fst = cls(header.start, *body, header)
        fst.check(stream.name)
        return fst

    def write(self, stream: OutputStream, fst_type: str | None = None, all_properties: bool = False) -> None:
        """Binary; as the type that it was read as if it is vector, const or compact_acceptor, else as vector.

        ``all_properties``: a new header says of each property whether it holds, as OpenFst's fstconvert has it.
        """
        kind = fst_type or (self.header.fst_type if self.header else "vector")
        if kind not in ("vector", "const", "compact_acceptor"):
            kind = "vector"
        old = self.header
        if old is not None and old.fst_type == kind:
            arcs = old.num_arcs if kind == "vector" else self.num_arcs
            header = replace(old, start=self.start, num_states=self.num_states, num_arcs=arcs)
        else:
            properties = self.known_properties() if all_properties else self._properties(kind)
            numbers = (properties, self.start, self.num_states, self.num_arcs)
            symbols = (old.isymbols, old.osymbols) if old else ()
            header = FstHeader(kind, old.arc_type if old else "standard", 2, 0, *numbers, *symbols)
        base = stream.tell() if header.is_aligned else 0
        header.write(stream)
        if kind == "const":
            self._write_const(stream, header, base)
        elif kind == "compact_acceptor":
            self._write_compact_acceptor(stream, header, base)
        else:
            self._write_vector(stream)

    def known_properties(self) -> int:
        """Of each of OpenFst's properties whether it holds (fst/properties.h)."""
        return _csrc.fst_properties(self.start, self.finals, self.offsets, self.arcs)

    def _properties(self, kind: str) -> int:
        """What the header of a new file says; Kaldi writes more than the least only of compact acceptors."""
        if kind == "compact_acceptor":
            return self.known_properties()
        return EXPANDED | (MUTABLE if kind == "vector" else 0)

    def _write_vector(self, stream: OutputStream) -> None:
        for first in range(0, self.num_states, _STATES):
            end = min(first + _STATES, self.num_states)
            stream.write(_csrc.vector_bytes(self.finals[first:end], self.offsets[first : end + 1], self.arcs))

    def _write_const(self, stream: OutputStream, header: FstHeader, base: int) -> None:
        states = np.zeros(self.num_states, dtype=CONST_STATE)
        states["final"], states["pos"], states["narcs"] = self.finals, self.offsets[:-1], np.diff(self.offsets)
        for count, label in (("nieps", "ilabel"), ("noeps", "olabel")):
            before = np.concatenate([[0], np.cumsum(self.arcs[label] == 0, dtype=np.uint32)])
            states[count] = np.diff(before[self.offsets])
        for block in (states, self.arcs):
            if header.is_aligned:
                stream.write(bytes(-(stream.tell() - base) % ALIGNMENT))
            stream.write(np.ascontiguousarray(block).view(np.uint8).data)

    def _write_compact_acceptor(self, stream: OutputStream, header: FstHeader, base: int) -> None:
        """Elements (label, cost, next state), that of a final cost (label -1) before the state's arcs."""
        try:
            blocks = _csrc.compact_acceptor(self.start, self.finals, self.offsets, self.arcs)
        except ValueError as error:
            raise KaldiError(f"{stream.name}: the FST cannot be written as an acceptor: {error}") from error
        for block in blocks:
            if header.is_aligned:
                stream.write(bytes(-(stream.tell() - base) % ALIGNMENT))
            stream.write(block)

    # Text.

    @classmethod
    def read_text(cls, stream: InputStream, symbols: None = None) -> Fst:
        """Lines of "state next ilabel olabel [cost]" or "state [cost]"; the first line's state is the start state."""
        start, arcs, finals = read_arcs(stream, float, 0.0)
        if start == -1:
            return cls(-1, np.zeros(0, np.float32), np.zeros(1, np.int64), np.zeros(0, ARC))
        return cls.from_arcs(start, finals, arcs)

    def write_text(self, stream: OutputStream) -> None:
        """As fstprint: the start state first, costs of zero left out; also states without arcs that are not final."""
        states = (
            ([(i, o, _cost_text(cost), target) for i, o, cost, target in self.arcs_of(s).tolist()], _final_text(final))
            for s, final in enumerate(self.finals.tolist())
        )
        stream.write(text_of(self.start, states))


def _cost_text(cost: float) -> str:
    return number_text(cost) if cost else ""


def _final_text(cost: float) -> str | None:
    return None if cost == np.inf else _cost_text(cost)


def is_sorted(fst: Fst, side: str) -> bool:
    """Whether each state has its arcs in the order of these labels, "ilabel" or "olabel"."""
    labels, sources = fst.arcs[side], fst.sources
    return bool(((labels[1:] >= labels[:-1]) | (sources[1:] != sources[:-1])).all())


def write_fst(wxfilename: str, fst: Fst) -> None:
    """Writes a binary vector FST, whole or not at all."""
    with open_output(wxfilename) as stream:
        fst.write(stream, "vector")


def read_fst(rxfilename: str) -> Fst:
    """A binary FST file (Kaldi's ReadFstKaldi); "" is the standard input."""
    with open_input(rxfilename) as stream:
        return Fst.read(stream)


class FstHolder:
    """FSTs in tables: binary without a marker of its own, or text after a newline (fstext/kaldi-fst-io.h)."""

    def read(self, stream: InputStream) -> Fst:
        if stream.peek(4) == MAGIC:
            return Fst.read(stream)
        if stream.peek(1) not in (b"\n", b"\r", b" ", b"\t"):
            raise KaldiError(f"{stream.where()}: expected an FST")
        stream.readline()
        return Fst.read_text(stream)

    def write(self, stream: OutputStream, binary: bool, value: Fst) -> None:
        if binary:
            value.write(stream, "vector")
        else:
            stream.write(b"\n")
            value.write_text(stream)
            stream.write(b"\n")

    def extract_range(self, value: Fst, text: str) -> Fst:
        raise KaldiError(f"an FST has no ranges: [{text}]")


FST = FstHolder()
