"""What OpenFst and Kaldi's fstext do to transducers, by the kaldifst package.

An FST goes there and back as a file, which takes little beside the operations themselves.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fst import Fst, read_fst
from kaldi_bridge.output_stream import OutputStream


def _kaldifst() -> Any:
    import kaldi_hmm_gmm  # noqa: F401 - whoever imports it after kaldifst hangs
    import kaldifst

    return kaldifst


@contextmanager
def _file() -> Iterator[str]:
    """A temporary file's name; in memory where the system can do that, which is many times faster."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fst")
        try:
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    descriptor, name = tempfile.mkstemp(suffix=".fst")
    os.close(descriptor)
    try:
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


def to_kaldifst(fst: Fst) -> Any:
    """As kaldifst.StdVectorFst."""
    kaldifst = _kaldifst()
    with _file() as name:
        with OutputStream(open(name, "wb"), name) as stream:
            fst.write(stream, "vector")
        return kaldifst.StdVectorFst.read(name)


def from_kaldifst(native: Any) -> Fst:
    with _file() as name:
        native.write(name)
        return read_fst(name)


def arc_sorted(fst: Fst, by: str = "ilabel") -> Fst:
    """Arcs of each state in the order of their input or output labels ("ilabel", "olabel")."""
    native = to_kaldifst(fst)
    _kaldifst().arcsort(native, sort_type=by)
    return from_kaldifst(native)


def self_looped(fst: Fst, labels: Sequence[tuple[int, int]]) -> Fst:
    """With loops of these (input, output) labels wherever a word can end or begin: Kaldi's fstaddselfloops."""
    native = to_kaldifst(fst)
    _kaldifst().add_self_loops(native, [ilabel for ilabel, _ in labels], [olabel for _, olabel in labels])
    return from_kaldifst(native)


def table_composed(left: Fst, right: Fst) -> Fst:
    """``left``, then ``right`` (Kaldi's fsttablecompose); ``left`` sorted by output or ``right`` by input labels."""
    return composed_with(to_kaldifst(left), right)


def composed_with(left: Any, right: Fst) -> Fst:
    """As ``table_composed``, with a left one, sorted by output labels, that ``to_kaldifst`` has converted once."""
    return from_kaldifst(_kaldifst().compose(left, to_kaldifst(right)))


def context_composed(fst: Fst, disambig: Sequence[int], width: int, central: int) -> tuple[Fst, list[list[int]]]:
    """Kaldi's fstcomposecontext: phones in windows of ``width`` phones, of which number ``central`` is said.

    Returns the FST and what its input labels mean: nothing, the negative of a disambiguation symbol, or a window.
    """
    composed, labels = _kaldifst().compose_context(list(disambig), width, central, to_kaldifst(fst))
    return from_kaldifst(composed), [list(label) for label in labels]


def star_determinized(fst: Fst, in_log: bool = True, max_states: int = -1) -> Fst:
    """Determinized, with epsilons removed: Kaldi's fstdeterminizestar --use-log.

    Raises KaldiError when it has more than ``max_states`` states (-1: any number).
    """
    native = to_kaldifst(fst)
    if _kaldifst().determinize_star(native, max_states=max_states, use_log=in_log):
        raise KaldiError(f"determinization stopped at {max_states} states: is the FST determinizable at all?")
    return from_kaldifst(native)


def encoded_minimized(fst: Fst) -> Fst:
    """Minimized with labels and weights as one symbol: Kaldi's fstminimizeencoded."""
    native = to_kaldifst(fst)
    _kaldifst().minimize_encoded(native)
    return from_kaldifst(native)


def connected(fst: Fst) -> Fst:
    """Only states on a path from the start to an end."""
    native = to_kaldifst(fst)
    _kaldifst().connect(native)
    return from_kaldifst(native)
