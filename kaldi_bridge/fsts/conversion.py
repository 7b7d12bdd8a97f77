"""Writing an FST as one of OpenFst's types."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import LOOKAHEAD
from kaldi_bridge.fsts.fst_header import FstHeader
from kaldi_bridge.fsts.labels import write_relabelling
from kaldi_bridge.fsts.lookahead import write_lookahead
from kaldi_bridge.io.streams import open_output

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import OutputStream

NGRAM_VERSION = 4
NGRAM_PROPERTIES = 0x25A555550001  # those of all such models (kStaticProperties)


def write_converted(name: str, fst: Fst, fst_type: str, save_ipairs: str = "", save_opairs: str = "") -> None:
    """Writes a file of that type. Raises KaldiError for a type that is not written, or that cannot hold the FST.

    ``save_ipairs``, ``save_opairs``: where old and new numbers go of labels that get new ones (lookahead.py), if any.
    """
    if fst_type not in _WRITERS and fst_type not in LOOKAHEAD:
        raise KaldiError(f"no FST of type {fst_type} is written; possible are {', '.join([*_WRITERS, *LOOKAHEAD])}")
    with open_output(name) as stream:
        if fst_type in _WRITERS:
            _WRITERS[fst_type](stream, fst)
            return
        pairs = write_lookahead(stream, fst, fst_type)
        save = {"ilabel_lookahead": save_ipairs, "olabel_lookahead": save_opairs}.get(fst_type)
        if save:
            write_relabelling(save, pairs)


def write_ngram(stream: OutputStream, fst: Fst) -> None:
    """An n-gram model with backoff arcs, which have no label and come first, as a tree of histories (NGramFst)."""
    order, children, words = _tree_of_histories(stream.name, fst)
    states = len(order)
    has_label = fst.arcs["ilabel"] != 0
    followers = np.bincount(fst.sources[has_label], minlength=states)[order]
    ends = np.isfinite(fst.finals[order])
    position = {state: number for number, state in enumerate(order)}
    kept = np.flatnonzero(has_label)
    kept = kept[np.argsort(np.array([position[s] for s in fst.sources[kept].tolist()], np.int64), kind="stable")]
    backoff = np.full(states + 1, np.inf, np.float32)
    backoff[states] = 0.0
    for number, state in enumerate(order[1:], 1):
        backoff[number] = fst.arcs_of(state)["weight"][0]
    old = fst.header
    arc_type = old.arc_type if old else "standard"
    FstHeader("ngram", arc_type, NGRAM_VERSION, 0, NGRAM_PROPERTIES, 1, states, 0).write(stream)
    stream.write(struct.pack("<QQQ", states, len(kept), int(ends.sum())))
    for bits in ([True, False, *_unary(children)], [False, *_unary(followers)], ends):
        stream.write(
            np.packbits(np.array(bits, bool), bitorder="little").tobytes().ljust(8 * ((len(bits) + 63) // 64), b"\0")
        )
    stream.write(np.array([-1, *words, 0], "<i4").tobytes())
    stream.write(fst.arcs["ilabel"][kept].tobytes() + backoff.tobytes())
    stream.write(fst.finals[order][ends].tobytes() + fst.arcs["weight"][kept].tobytes() + bytes(4))


def _unary(numbers: Iterable[int]) -> Iterator[bool]:
    for number in numbers:
        yield from (True,) * int(number)
        yield False


def _tree_of_histories(name: str, fst: Fst) -> tuple[list[int], list[int], list[int]]:
    """States breadth first from the one without a history; their numbers of children; each one's oldest word."""
    problem = KaldiError(f"{name}: no n-gram model with backoff arcs: it cannot be of type ngram")
    unigram, seen = fst.start, 0
    while unigram >= 0 and len(out := fst.arcs_of(unigram)) and out["ilabel"][0] == 0 and seen <= fst.num_states:
        unigram, seen = int(out["nextstate"][0]), seen + 1
    if unigram < 0 or seen > fst.num_states or (fst.arcs["ilabel"] != fst.arcs["olabel"]).any():
        raise problem
    oldest = {fst.start: 0}
    waiting = deque([fst.start])
    first = fst.arcs_of(unigram)
    starts = [(int(target), int(label)) for target, label in zip(first["nextstate"], first["ilabel"], strict=True)]
    for state, word in [(fst.start, 0), *starts]:
        if state not in oldest or state == fst.start:
            oldest.setdefault(state, word)
            waiting.append(state)
    while waiting:
        state = waiting.popleft()
        for arc in fst.arcs_of(state):
            target = int(arc["nextstate"])
            if arc["ilabel"] and target not in oldest:
                oldest[target] = oldest[state]
                waiting.append(target)
    longer: dict[int, list[int]] = {}
    for state in range(fst.num_states):
        out = fst.arcs_of(state)
        backs = np.flatnonzero(out["ilabel"] == 0)
        if (
            len(backs) != (state != unigram)
            or (len(backs) and backs[0] != 0)
            or (state != unigram and state not in oldest)
        ):
            raise problem
        if len(backs):
            longer.setdefault(int(out["nextstate"][0]), []).append(state)
    order, children, words = [unigram], [], []
    for state in order:  # grows on the way
        below = sorted(longer.get(state, []), key=lambda s: oldest[s])
        order += below
        words += [oldest[s] for s in below]
        children.append(len(below))
    if len(order) != fst.num_states or len(order) < 2 or order[1] != fst.start:
        raise problem
    return order, children, words


_WRITERS: dict[str, Callable[[OutputStream, Fst], None]] = {
    "vector": lambda stream, fst: fst.write(stream, "vector"),
    "const": lambda stream, fst: fst.write(stream, "const", all_properties=True),
    "compact_acceptor": lambda stream, fst: fst.write(stream, "compact_acceptor"),
    "ngram": write_ngram,
}
