"""What follows the headers of OpenFst's binary types: states and arcs, as arrays.

vector and const (fst/vector-fst.h, const-fst.h), compact acceptors and strings (compact-fst.h), the const FST that an
FST for lookahead carries (matcher-fst.h), and n-gram models as trees of histories (extensions/ngram/ngram-fst.h).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst_header import ALIGNMENT, FstHeader
from kaldi_bridge.fsts.vector_files import read_vector_body

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream

ARC = np.dtype([("ilabel", "<i4"), ("olabel", "<i4"), ("weight", "<f4"), ("nextstate", "<i4")])
CONST_STATE = np.dtype([("final", "<f4"), ("pos", "<u4"), ("narcs", "<u4"), ("nieps", "<u4"), ("noeps", "<u4")])

# Compact types: per state a variable number of elements (or exactly one), final weights first with label -1.
_LABEL, _WEIGHT, _STATE = ("label", "<i4"), ("weight", "<f4"), ("nextstate", "<i4")
COMPACT = {
    "acceptor": np.dtype([_LABEL, _WEIGHT, _STATE]),
    "unweighted_acceptor": np.dtype([_LABEL, _STATE]),
    "unweighted": np.dtype([_LABEL, ("olabel", "<i4"), _STATE]),
    "string": np.dtype([_LABEL]),
    "weighted_string": np.dtype([_LABEL, _WEIGHT]),
}
LOOKAHEAD = ("olabel_lookahead", "ilabel_lookahead", "arc_lookahead")
ADD_ON = struct.pack("<i", 446681434)

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Final costs, offsets and arcs, as ``fst.Fst`` has them."""


def read_body(stream: InputStream, header: FstHeader, base: int) -> Arrays:
    """What follows a header that began at ``base``. Raises KaldiError where it does not fit or is of another type."""
    kind = header.fst_type
    if kind == "vector":
        offsets, arcs, finals, _, _ = read_vector_body(stream, header)
        return finals, offsets, arcs.view(ARC)
    if kind == "const":
        return _read_const(stream, header, base)
    if kind.startswith("compact") and kind.partition("_")[2] in COMPACT:
        return _read_compact(stream, header, base)
    if kind in LOOKAHEAD:
        return _read_lookahead(stream, header, base)
    if kind == "ngram":
        return _read_ngram(stream, header)
    raise KaldiError(f"{stream.name}: FST of type {kind}: convert it with fstconvert")


def _align(stream: InputStream, header: FstHeader, base: int) -> None:
    if header.is_aligned:
        stream.skip(-(stream.tell() - base) % ALIGNMENT)


def _block(stream: InputStream, count: int, dtype: np.dtype) -> np.ndarray:
    if count < 0 or not stream.holds(count * dtype.itemsize):
        raise KaldiError(f"{stream.where()}: the FST is truncated, or its header makes no sense")
    if stream.is_file():
        block = np.empty(count, dtype)
        stream.readinto(block)
        return block
    return np.frombuffer(stream.read(count * dtype.itemsize), dtype=dtype)


def _read_const(stream: InputStream, header: FstHeader, base: int) -> Arrays:
    _align(stream, header, base)
    finals, offsets = _const_states(_block(stream, header.num_states, CONST_STATE))
    _align(stream, header, base)
    arcs = _block(stream, header.num_arcs, ARC)
    if offsets is None or offsets[-1] != len(arcs):
        raise KaldiError(f"{stream.name}: the states and arcs of the FST do not fit together (corrupt file?)")
    return finals, offsets, arcs


def _const_states(states: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Final costs, and offsets of arcs where positions and numbers of arcs agree."""
    offsets = np.zeros(len(states) + 1, np.int64)
    np.cumsum(states["narcs"], out=offsets[1:])
    return states["final"].copy(), offsets if np.array_equal(states["pos"], offsets[:-1]) else None


def _read_compact(stream: InputStream, header: FstHeader, base: int) -> Arrays:
    prefix, _, kind = header.fst_type.partition("_")
    dtype, width = COMPACT[kind], prefix.removeprefix("compact")
    names = {"": "<u4", "8": "<u1", "16": "<u2", "64": "<u8"}
    if width not in names:
        raise KaldiError(f"{stream.name}: FST of type {header.fst_type}: convert it with fstconvert")
    n = header.num_states
    if n < 0 or not stream.holds(n):
        raise KaldiError(f"{stream.where()}: the FST is truncated, or its header makes no sense")
    if kind in ("string", "weighted_string"):
        positions = np.arange(n + 1)
    else:
        _align(stream, header, base)
        positions = _block(stream, n + 1, np.dtype(names[width])).astype(np.int64)
        if positions[0] != 0 or (np.diff(positions) < 0).any():
            raise KaldiError(f"{stream.name}: the states of the FST do not fit together (corrupt file?)")
    _align(stream, header, base)
    elements = _block(stream, int(positions[-1]), dtype)
    owner, fields = np.repeat(np.arange(n), np.diff(positions)), dtype.names or ()
    weights = elements["weight"] if "weight" in fields else np.zeros(len(elements), np.float32)
    is_final = elements["label"] == -1
    finals = np.full(n, np.inf, dtype=np.float32)
    finals[owner[is_final]] = weights[is_final]
    keep = ~is_final
    arcs = np.zeros(int(keep.sum()), dtype=ARC)
    arcs["ilabel"] = elements["label"][keep]
    arcs["olabel"] = elements["olabel" if kind == "unweighted" else "label"][keep]
    arcs["weight"] = weights[keep]
    arcs["nextstate"] = (elements["nextstate"] if "nextstate" in fields else owner + 1)[keep]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner[keep], minlength=n))]).astype(np.int64)
    return finals, offsets, arcs


def _read_lookahead(stream: InputStream, header: FstHeader, base: int) -> Arrays:
    """A mark, and a const FST, whose header counts. What tells which labels can be reached comes after it."""
    if stream.read(len(ADD_ON)) != ADD_ON:
        raise KaldiError(f"{stream.where()}: the FST with lookahead is corrupt")
    inner = FstHeader.read(stream)
    if inner.fst_type != "const" or inner.arc_type != header.arc_type:
        raise KaldiError(f"{stream.where()}: the FST with lookahead is corrupt")
    header.start, header.num_states, header.num_arcs = inner.start, inner.num_states, inner.num_arcs
    header.isymbols, header.osymbols = inner.isymbols, inner.osymbols
    return _read_const(stream, inner, base)


def _read_ngram(stream: InputStream, header: FstHeader) -> Arrays:
    """A tree of histories, breadth first from the empty one; a child's history is one word longer into the past.

    Bits tell the numbers of children and of words that follow, in unary. State 0 is the empty history, state 1 that of
    the start. A word's arc leads to the longest history that is in the tree.
    """
    states, words, ends = struct.unpack("<QQQ", stream.read(24))
    if header.num_states != states or not states or not all(stream.holds(count) for count in (states, words, ends)):
        raise KaldiError(f"{stream.where()}: the n-gram FST is truncated, or its header makes no sense")
    tree = _bits(stream, 2 * states + 1)
    following = _bits(stream, words + states + 1)
    is_final = _bits(stream, states)
    history_words = _block(stream, states + 1, np.dtype("<i4"))
    labels = _block(stream, words, np.dtype("<i4"))
    backoff = _block(stream, states + 1, np.dtype("<f4"))
    final_costs = _block(stream, ends, np.dtype("<f4"))
    costs = _block(stream, words, np.dtype("<f4"))
    children, followers = _unary(tree[2:], states), _unary(following[1:], states)
    if children.sum() != states - 1 or followers.sum() != words or is_final.sum() != ends:
        raise KaldiError(f"{stream.where()}: the n-gram FST is corrupt")
    parent = np.repeat(np.arange(states), children)  # of states 1, 2, ...
    first_child = 1 + np.concatenate([[0], np.cumsum(children)])
    first_word = np.concatenate([[0], np.cumsum(followers)])
    try:
        after = _csrc.ngram_states_after(first_child, history_words, first_word, labels)
    except ValueError as error:
        raise KaldiError(f"{stream.where()}: the n-gram FST is corrupt: {error}") from None
    arcs = np.zeros(words + states - 1, ARC)
    has_backoff = np.arange(states) > 0
    offsets = np.concatenate([[0], np.cumsum(followers + has_backoff)]).astype(np.int64)
    first = offsets[1:-1]
    arcs["weight"][first], arcs["nextstate"][first] = backoff[1:-1], parent
    rest = np.ones(len(arcs), bool)
    rest[first] = False
    arcs["ilabel"][rest] = arcs["olabel"][rest] = labels
    arcs["weight"][rest] = costs
    arcs["nextstate"][rest] = after
    finals = np.full(states, np.inf, np.float32)
    finals[is_final] = final_costs
    return finals, offsets, arcs


def _bits(stream: InputStream, count: int) -> np.ndarray:
    """bool [count] from words of 64 bits, the lowest bit first."""
    data = _block(stream, (count + 63) // 64, np.dtype("<u8"))
    return np.unpackbits(data.view(np.uint8), bitorder="little")[:count].astype(bool)


def _unary(bits: np.ndarray, count: int) -> np.ndarray:
    """``count`` numbers, each that many ones and a zero."""
    ends = np.flatnonzero(~bits)[:count]
    return np.diff(ends, prepend=-1) - 1 if len(ends) == count else np.full(count, -1)
