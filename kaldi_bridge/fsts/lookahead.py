"""FSTs that look ahead when they are composed: OpenFst's types olabel_lookahead, ilabel_lookahead and arc_lookahead.

On file (fst/add-on.h, matcher-fst.h): a header, a mark, a const FST with its own header, and then what is added: of
each state, the labels that can come first on a path out of it (fst/label-reachable.h). So that these are few intervals,
labels get new numbers; what is composed with the FST must get the same ones (fstrelabel with the pairs).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst, is_sorted
from kaldi_bridge.fsts.fst_bodies import ADD_ON, ARC, LOOKAHEAD
from kaldi_bridge.fsts.fst_header import FstHeader
from kaldi_bridge.fsts.labels import relabelled
from kaldi_bridge.fsts.rational import arc_sorted
from kaldi_bridge.io.streams import open_input

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

LabelPairs = list[tuple[int, int]]
"""Old labels and their new ones, in the order in which OpenFst writes them."""

_SIDES = {"olabel_lookahead": "olabel", "ilabel_lookahead": "ilabel"}
_NOTHING_ADDED = bytes([1, 0, 0])


@dataclass
class LookaheadFst:
    """An FST, sorted by the labels with which it looks ahead, and those that each state reaches.

    ``reachable``: a ReachableLabels of csrc/label_reachable.h.
    """

    fst: Fst
    reachable: Any

    @classmethod
    def of(cls, fst: Fst, side: str = "olabel") -> LookaheadFst:
        """Of any FST that is sorted, whose labels keep their numbers. Raises KaldiError where it is not."""
        if not is_sorted(fst, side):
            raise KaldiError(
                "the FST is not sorted by the labels with which it is to look ahead: sort it with fstarcsort"
            )
        return cls(fst, _csrc.reachable_kept_labels(*_arrays(fst), side == "ilabel"))

    @classmethod
    def read(cls, stream: InputStream) -> LookaheadFst:
        """One of any type; those of other types look ahead on their output labels. Raises KaldiError."""
        fst = Fst.read(stream)
        if fst.header is None or fst.header.fst_type not in _SIDES:
            return cls.of(fst)
        return cls(fst, read_reachable(stream, fst))


def read_lookahead_fst(rxfilename: str) -> LookaheadFst:
    """From a file."""
    with open_input(rxfilename) as stream:
        return LookaheadFst.read(stream)


def read_fst_and_reachable(rxfilename: str, arc_types: Collection[str]) -> tuple[Fst, LookaheadFst | None]:
    """An FST of any type; and the same with what it carries, where it looks ahead on its output labels."""
    with open_input(rxfilename) as stream:
        fst = Fst.read(stream, arc_types)
        looks_ahead = fst.header is not None and fst.header.fst_type == "olabel_lookahead"
        return fst, LookaheadFst(fst, read_reachable(stream, fst)) if looks_ahead else None


def read_reachable(stream: InputStream, fst: Fst) -> Any:
    """What follows an FST that was just read and looks ahead. Raises KaldiError where it is truncated or corrupt."""
    try:
        return _csrc.read_add_on(stream.read_all(), fst.num_states)
    except ValueError as error:
        raise KaldiError(f"{stream.name}: {error}") from None


def with_new_labels(fst: Fst, side: str) -> tuple[LookaheadFst, LabelPairs]:
    """An FST that looks ahead with its "ilabel" or "olabel" labels, which get new numbers, and all of these.

    Among the pairs are those of labels that do not occur, but would be taken for new ones.
    """
    reachable, pairs = _csrc.reachable_labels(*_arrays(fst), side == "ilabel")
    new = dict(pairs)
    changed = arc_sorted(relabelled(fst, *((new, {}) if side == "ilabel" else ({}, new))), side)
    if changed.header is not None:  # its symbols are of the old numbers
        changed.header.isymbols, changed.header.osymbols = (
            (b"", changed.header.osymbols) if side == "ilabel" else (changed.header.isymbols, b"")
        )
    return LookaheadFst(changed, reachable), pairs


def write_lookahead(stream: OutputStream, fst: Fst, fst_type: str) -> LabelPairs:
    """Writes the FST as one of LOOKAHEAD; returns the new numbers of its labels, none for arc_lookahead."""
    if fst_type not in LOOKAHEAD:
        raise KaldiError(f"{fst_type} is no type of FST that looks ahead")
    fst = fst.changed()
    pairs: LabelPairs = []
    added = _NOTHING_ADDED
    if fst_type in _SIDES:
        ahead, pairs = with_new_labels(fst, _SIDES[fst_type])
        fst, added = ahead.fst, ahead.reachable.add_on()
    arc_type = fst.header.arc_type if fst.header else "standard"
    FstHeader(fst_type, arc_type, 1, 0, fst.known_properties(), -1, 0, 0).write(stream)
    stream.write(ADD_ON)
    fst.write(stream, "const", all_properties=True)
    stream.write(added)
    return pairs


def composed_looking_ahead(first: LookaheadFst, second: Fst, connect: bool = True) -> Fst:
    """Both composed, the first one looking ahead on its output labels; as OpenFst's fstcompose does it.

    Raises KaldiError where the second one is not sorted by input label.
    """
    try:
        parts = _csrc.composed_looking_ahead(_arrays(first.fst), first.reachable, _arrays(second), connect)
    except ValueError as error:
        raise KaldiError(str(error)) from None
    start, finals, offsets, arcs = parts
    composed = first.fst.changed(start=start, finals=finals, offsets=offsets, arcs=arcs.astype(ARC, copy=False))
    if composed.header is not None:
        composed.header.osymbols = second.header.osymbols if second.header else b""
    return composed


def _arrays(fst: Fst) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    return fst.start, fst.finals, fst.offsets, fst.arcs
